import ArgumentParser
import Gateway
import Store

extension UserCommand {
    /// `gatepost user import FILE.csv` or `gatepost user import --ldap FILTER`: requires the role
    /// `administrator`.
    ///
    /// The first line of the file names its columns: `login`, and any of `name`, `imap`, `smtp`,
    /// `tls`, `username` and `ca`, as `account add` takes them. A row with `imap` also adds the
    /// account of that address, which the user owns. `--json` prints an array of
    /// ``UserImportReport/Row``. A row that fails does not stop the others; the exit status is
    /// then 1.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Import users with their accounts from a CSV file or the directory.",
            discussion: """
                The first line of the file names its columns: login, and any of name, imap, smtp, \
                tls, username and ca. A row with imap, or with --imap, also adds the user's \
                account. Users get no password and accounts no credential. Users who exist are \
                skipped: an import can be repeated.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var accounts: UserImportOptions
        @OptionGroup var output: JSONOption
        @Argument(help: "The CSV file in UTF-8; - for standard input.") var file: String?
        @Option(help: "Import the entries of authentication.ldap that match this filter instead.")
        var ldap: String?
        @Flag(help: "Only check, and print what would be added.") var dryRun = false

        /// - Throws: `ValidationError` for no source, two sources, and a filter that is not valid.
        func validate() throws {
            guard (self.file == nil) != (self.ldap == nil) else {
                throw ValidationError("name a file or use --ldap FILTER, and not both")
            }
            guard let ldap = self.ldap else { return }
            do {
                _ = try UserImportDirectory.checked(ldap)
            } catch {
                throw ValidationError(error.description)
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let rows = try await self.rows()
            let results = try ProgressLine.during("reading the rows") { progress in
                try self.results(of: rows, store: store, actor: actor, progress: progress.report)
            }
            let report = UserImportReport(rows, results: results, dryRun: self.dryRun)
            try report.write(json: self.output.json)
            guard report.failures == 0 else {
                throw Failure(
                    "\(report.failures) of \(rows.count) rows failed: correct them and repeat the "
                        + "import; users who exist are skipped"
                )
            }
        }

        /// The rows of the file or the directory.
        /// - Throws: ``Failure`` if it cannot be read as a whole.
        private func rows() async throws -> [UserImportRow] {
            if let ldap = self.ldap {
                let directory = try UserImportDirectory(
                    try await self.configuration.load().authentication.directory,
                    filter: ldap
                )
                return try ProgressLine.during("searching the directory") { _ in
                    try directory.rows()
                }
            }
            let file = self.file ?? "-"
            let octets = [UInt8](try InputFile.contents(file))
            return try ProgressLine.during("reading the file") { _ in
                do throws(CSVError) {
                    return try UserImportRow.rows(csv: octets)
                } catch {
                    throw Failure("\(file): \(error); nothing was imported")
                }
            }
        }

        /// Imports the rows whose values are usable, or only checks them.
        /// - Returns: a result for each row, in order.
        private func results(
            of rows: [UserImportRow],
            store: PermissionStore,
            actor: String,
            progress: StoreProgress
        ) throws -> [UserImportResult] {
            var maker = UserImportEntries(defaults: self.accounts.account)
            var entries: [UserImportEntry] = []
            var positions: [Int] = []
            var results: [UserImportResult] = []
            for row in rows {
                do throws(Failure) {
                    entries.append(try maker.entry(of: row))
                    positions.append(results.count)
                    results.append(.added)
                } catch {
                    results.append(.refused(error.description))
                }
            }
            let imported = try store.importUsers(
                entries,
                dryRun: self.dryRun,
                actor: actor,
                progress: progress
            )
            for (position, result) in zip(positions, imported) { results[position] = result }
            return results
        }
    }
}
