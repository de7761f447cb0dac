# The ledger: on the landing page, on the page about this place, and what its doors refuse.
ledger = Ledger
ledger-since = Entry { $entry }, since { $date }.
ledger-receipt = Download proof
ledger-lead = Every publication, correction and withdrawal is an entry of a public ledger that only grows. Each new entry changes its signed summary, so nobody, we included, can change or remove an entry without being noticed. It holds names and checksums and no personal data.
ledger-check-receipt = Download the proof on the page of a dataset, and its files.
ledger-check-program = Check both, also without network and in years to come:
ledger-check-witness = Partner institutions keep earlier summaries and cosign the new ones only if these continue them.
ledger-checkpoint = The newest summary
ledger-witnesses = The key and the witnesses
problem-ledger-size = The ledger has no checkpoint for the size { $size }.
problem-cosignature = The cosignature is not taken: { $why }.
