/// A row of an import, from a file or the directory, with its values as texts.
struct UserImportRow: Equatable, Sendable {
    /// The most rows of an import: they are in memory.
    static let maximumCount = 500_000

    /// The line of the file, or the number of the directory's entry; both from 1.
    var line: Int
    var login: String
    /// Nil for no name.
    var name: String?
    /// The settings of the account that the row has itself.
    var account = UserImportAccount()
    /// Why the row cannot be imported; nil if nothing is known.
    var problem: String?
}

/// The settings of an account as texts, in the words of `account add`. A value that is absent is
/// nil.
struct UserImportAccount: Equatable, Sendable {
    var imap: String?
    var smtp: String?
    var tls: String?
    var ca: String?
    var username: String?
}

extension UserImportRow {
    /// A column of the file.
    private enum Column: String, CaseIterable {
        case login, name, imap, smtp, tls, username, ca
    }

    /// Reads the rows of a CSV file, whose first record names the columns in any order.
    /// - Throws: ``CSVError`` for a file that is no such table. A value that is wrong is no error
    ///   here.
    static func rows(csv octets: [UInt8]) throws(CSVError) -> [UserImportRow] {
        var reader = try CSVReader(octets)
        guard let header = try reader.next() else {
            throw CSVError(line: 1, reason: "the file is empty: name the columns in its first line")
        }
        let columns = try Self.columns(of: header)
        var rows: [UserImportRow] = []
        while let record = try reader.next() {
            guard record.fields.count == columns.count else {
                throw CSVError(
                    line: record.line,
                    reason: "\(record.fields.count) fields, but the header has \(columns.count)"
                )
            }
            guard rows.count < Self.maximumCount else {
                throw CSVError(
                    line: record.line,
                    reason: "more than \(Self.maximumCount) rows: split the file"
                )
            }
            rows.append(UserImportRow(record, columns: columns))
        }
        return rows
    }

    /// - Throws: ``CSVError`` for an unknown column, one that is there twice, and without `login`.
    private static func columns(of header: CSVRecord) throws(CSVError) -> [Column] {
        var columns: [Column] = []
        for field in header.fields {
            let name = field.lowercased()
            guard name != "password" else {
                throw CSVError(
                    line: header.line,
                    reason: "passwords are not imported: remove the column password; a mail server "
                        + "or a directory knows it (authentication.sources), or use gatepost user "
                        + "password LOGIN"
                )
            }
            guard let column = Column(rawValue: name) else {
                let known = Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw CSVError(
                    line: header.line,
                    reason: "unknown column \"\(field.prefix(40))\"; known are \(known)"
                )
            }
            guard !columns.contains(column) else {
                throw CSVError(line: header.line, reason: "two columns \(name): remove one")
            }
            columns.append(column)
        }
        guard columns.contains(.login) else {
            throw CSVError(line: header.line, reason: "the column login is missing")
        }
        return columns
    }

    /// - Parameter columns: as many as the record has fields.
    private init(_ record: CSVRecord, columns: [Column]) {
        self.init(line: record.line, login: "")
        for (column, field) in zip(columns, record.fields) where !field.isEmpty {
            switch column {
            case .login: self.login = field
            case .name: self.name = field
            case .imap: self.account.imap = field
            case .smtp: self.account.smtp = field
            case .tls: self.account.tls = field
            case .username: self.account.username = field
            case .ca: self.account.ca = field
            }
        }
    }
}
