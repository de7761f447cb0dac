# Sentences of problems: `problem-<code>`.
problem-record-id = This is not a record id.
