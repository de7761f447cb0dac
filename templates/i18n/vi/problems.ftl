# Sentences of problems: `problem-<code>`.
problem-record-id = Mã bản ghi không đúng dạng.
