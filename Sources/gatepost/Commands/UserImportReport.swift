import Store

/// The results of an import, as they are printed.
struct UserImportReport {
    /// A row of `--json`:
    /// `{"line":2,"login":"anna@kanzlei.example","reason":null,"result":"added"}`.
    struct Row: Encodable, Equatable {
        /// The line of the file, or the number of the directory's entry; both from 1.
        var line: Int
        /// The login as it was read; the name of an entry of the directory that has none.
        var login: String
        /// `added`, `would be added`, `exists` or `failed`.
        var result: String
        /// Why nothing was added; nil for a row that was added.
        @Nullable var reason: String?
    }

    /// The most characters of a cell. A field of the file may have thousands.
    private static let maximumCharacters = 200

    /// The rows in the order of the file.
    let rows: [Row]
    private let results: [UserImportResult]
    private let isDryRun: Bool

    /// - Parameters:
    ///   - rows: the rows in the order of the file.
    ///   - results: a result for each row, in order.
    ///   - dryRun: whether nothing was written.
    init(_ rows: [UserImportRow], results: [UserImportResult], dryRun: Bool) {
        self.results = results
        self.isDryRun = dryRun
        self.rows = zip(rows, results).map { row, result in
            let (word, reason): (String, String?) =
                switch result {
                case .added: (dryRun ? "would be added" : "added", nil)
                case .exists: ("exists", "the user exists")
                case .taken(let account):
                    ("exists", "the address belongs to account \(account) already")
                case .refused(let reason): ("failed", reason)
                }
            return Row(line: row.line, login: row.login, result: word, reason: reason)
        }
    }

    /// The number of rows with a result.
    private func count(_ result: String) -> Int { self.rows.count { $0.result == result } }

    /// The number of rows that failed.
    var failures: Int { self.count("failed") }

    /// The last line of the text: `3 users added, 1 exist, 0 failed`.
    var summary: String {
        let added =
            self.isDryRun
            ? "\(self.count("would be added")) users would be added"
            : "\(self.count("added")) users added"
        return "\(added), \(self.count("exists")) exist, \(self.failures) failed"
    }

    /// The cells of a row in the table.
    private func cells(_ row: Row, result: UserImportResult) -> [String] {
        let text =
            switch result {
            case .added, .exists: row.result
            case .taken: "exists: \(row.reason ?? "")"
            case .refused(let reason): reason
            }
        return ["\(row.line)", Self.short(row.login), Self.short(text)]
    }

    /// The lines of the table.
    var table: some Sequence<[String]> {
        zip(self.rows, self.results).lazy.map(self.cells)
    }

    private static func short(_ text: String) -> String {
        text.utf8.count <= self.maximumCharacters || text.count <= self.maximumCharacters
            ? text : text.prefix(self.maximumCharacters) + "…"
    }

    /// Prints the table and the summary, or the JSON document.
    func write(json: Bool) throws {
        if json { return try Output.json(list: self.rows) }
        Output.table(["LINE", "LOGIN", "RESULT"], rows: self.table)
        print(self.summary)
    }
}
