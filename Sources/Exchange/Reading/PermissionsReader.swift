package import Foundation

/// A reader for exports of Exchange's permissions: documents of the export script, and cmdlet
/// output as JSON or CSV, in any number of files.
///
/// A file that cannot be read completely is refused as a whole.
package enum PermissionsReader {
    /// The document of the export script.
    private struct Envelope: Decodable {
        var format: String
        var version: Int
        var complete: Bool?
        var mailboxes: [PermissionsDocument.Mailbox]
        var recipients: [PermissionsDocument.Recipient]
        var notes: [String]?
    }

    /// The value of `format` in a document of the export script.
    package static let format = "gatepost-exchange-permissions"
    private static let version = 1

    /// Reads files into one document.
    /// - Throws: ``ReadingError`` with the file, the row and the remedy.
    package static func read(
        _ files: [(name: String, octets: Data)]
    ) throws(ReadingError) -> PermissionsDocument {
        var document = PermissionsDocument()
        var output = CmdletOutput()
        var hasRows = false
        for file in files {
            let (text, isMarked) = try self.text(Array(file.octets), file: file.name)
            if let start = text.first(where: { !$0.isWhitespace }), start == "{" || start == "[" {
                let value = try self.json(text, file: file.name)
                if value["format"] != nil {
                    document.add(try self.document(value, file: file.name))
                } else {
                    for row in try self.rows(value, file: file.name) { try output.add(row) }
                    hasRows = true
                }
            } else {
                // A byte order mark, or a letter outside ASCII, shows that no letter was lost.
                let isASCII = !isMarked && text.utf8.allSatisfy { $0 < 0x80 }
                let csv = try CSVText(text, file: file.name)
                for row in self.rows(csv, file: file.name, isASCII: isASCII) { try output.add(row) }
                hasRows = true
            }
        }
        if hasRows { document.add(output.document()) }
        return document
    }

    // MARK: - Text

    /// Decodes UTF-8, or UTF-16 with byte order mark, which Windows PowerShell writes to redirected
    /// files.
    /// - Returns: the text, and whether it had a byte order mark.
    private static func text(
        _ octets: [UInt8],
        file: String
    ) throws(ReadingError) -> (text: String, isMarked: Bool) {
        var text: String?
        var isMarked = true
        switch (octets.first, octets.dropFirst().first) {
        case (0xFF, 0xFE), (0xFE, 0xFF):
            let isBig = octets.first == 0xFE
            var units: [UInt16] = []
            guard octets.count.isMultiple(of: 2) else {
                throw ReadingError("\(file) is UTF-16 and cut off: export it again")
            }
            for index in stride(from: 2, to: octets.count, by: 2) {
                let (one, two) = (UInt16(octets[index]), UInt16(octets[index + 1]))
                units.append(isBig ? one << 8 | two : two << 8 | one)
            }
            text = String(validating: units, as: UTF16.self)
        default:
            isMarked = octets.starts(with: [0xEF, 0xBB, 0xBF])
            text = String(validating: octets.dropFirst(isMarked ? 3 : 0), as: UTF8.self)
        }
        guard let text else {
            throw ReadingError("\(file) is not UTF-8: export it again with -Encoding UTF8")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ReadingError(
                "\(file) is empty: a cmdlet that finds nothing writes nothing; leave the file out if "
                    + "that is so"
            )
        }
        return (text, isMarked)
    }

    private static func json(_ text: String, file: String) throws(ReadingError) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            throw ReadingError(
                "\(file) is not a complete JSON document: it is cut off or nested too deeply, or it has a "
                    + "duplicate name, or a list with fewer elements than its Count: export it again"
            )
        }
    }

    // MARK: - Rows

    /// The rows of a JSON export.
    private static func rows(_ value: JSONValue, file: String) throws(ReadingError) -> [CmdletRow] {
        var elements: [JSONValue]
        switch value {
        case .array(let all): elements = all
        case .object:
            if case .array(let all)? = value["value"] {
                try self.checkWhole(value, file: file)
                elements = all
            } else {
                elements = [value]
            }
        default: elements = []
        }
        // A list of lists: the results of several cmdlets.
        elements = elements.flatMap { element in
            if case .array(let rows) = element { rows } else { [element] }
        }
        guard !elements.isEmpty else {
            throw ReadingError("\(file) has no rows: leave it out if the cmdlet found nothing")
        }
        var rows: [CmdletRow] = []
        for (index, element) in elements.enumerated() {
            guard case .object = element else {
                throw ReadingError(
                    "\(file), row \(index + 1) is no object: PowerShell lost it; use ConvertTo-Json "
                        + "-Depth 5"
                )
            }
            rows.append(CmdletRow(place: "\(file), row \(index + 1)", value: element))
        }
        return rows
    }

    /// Refuses a response of an administration interface that says that it is incomplete.
    static func checkWhole(_ answer: JSONValue, file: String) throws(ReadingError) {
        guard [nil, .null].contains(answer["@odata.nextLink"]) else {
            throw ReadingError(
                "\(file) is one page of several: load all, with ResultSize Unlimited"
            )
        }
        switch answer["@adminapi.warnings"] {
        case nil, .null?, .array([])?: return
        case .array(let warnings)?:
            let first = warnings.first?.string ?? "a warning"
            throw ReadingError("\(file) may be incomplete: \(first.prefix(200))")
        default: throw ReadingError("\(file) has warnings that cannot be read")
        }
    }

    /// The rows of a CSV export.
    private static func rows(_ csv: CSVText, file: String, isASCII: Bool) -> [CmdletRow] {
        csv.rows.map { line, cells in
            let members = Dictionary(zip(csv.header, cells.map(JSONValue.string))) { $1 }
            return CmdletRow(
                place: "\(file), row \(line)",
                value: .object(members),
                origin: .csv(isASCII: isASCII)
            )
        }
    }

    // MARK: - The script's document

    /// Decodes a document of the export script.
    private static func document(
        _ value: JSONValue,
        file: String
    ) throws(ReadingError) -> PermissionsDocument {
        let envelope: Envelope
        do {
            let octets = try JSONEncoder().encode(value)
            envelope = try JSONDecoder().decode(Envelope.self, from: octets)
        } catch {
            throw ReadingError("\(file) is not a document of gatepost's export script: \(error)")
        }
        guard envelope.format == Self.format, envelope.version == Self.version else {
            throw ReadingError(
                "\(file) has another version: print the script again (gatepost permissions "
                    + "export-script)"
            )
        }
        guard envelope.complete == true else {
            throw ReadingError("\(file) is not complete: the script did not reach its end")
        }
        for mailbox in envelope.mailboxes {
            for folder in mailbox.folders {
                for entry in folder.entries where FolderRights.rights(named: entry.rights) == nil {
                    throw ReadingError(
                        "\(file): \(entry.rights.joined(separator: ", ")) in "
                            + "\(mailbox.address):\\\(folder.path.joined(separator: "\\")) is no "
                            + "role or right of a folder"
                    )
                }
            }
        }
        return PermissionsDocument(
            mailboxes: envelope.mailboxes,
            recipients: envelope.recipients,
            hasWholeDirectory: true,
            notes: envelope.notes ?? []
        )
    }
}

extension PermissionsDocument {
    /// Appends another document.
    mutating func add(_ other: PermissionsDocument) {
        self.mailboxes += other.mailboxes
        self.recipients += other.recipients
        self.hasWholeDirectory = self.hasWholeDirectory || other.hasWholeDirectory
        self.notes += other.notes
    }

    /// A note about rows that belong to no identified mailbox: they may be about this one.
    func unused(beside mailbox: Mailbox) -> [String] {
        let known = self.mailboxes.filter { !$0.identities.isEmpty }
            .reduce(mailbox.calledNames) { $0.union($1.calledNames) }
        let unused = self.mailboxes.filter { other in
            other.identities.isEmpty && other.calledNames.isDisjoint(with: known)
        }.map(\.address)
        guard !unused.isEmpty else { return [] }
        return [
            "rows about \(unused.prefix(5).joined(separator: ", ")) are not used: if they are about "
                + "\(mailbox.address), add the output of Get-Mailbox"
        ]
    }

    /// The mailbox of one account, with everything that the document says about it.
    /// - Parameters:
    ///   - addresses: the account's addresses.
    ///   - identity: the mailbox's name in the document, given by the administrator.
    /// - Throws: ``ReadingError`` unless exactly one mailbox matches: nothing is guessed.
    package func mailbox(
        of addresses: [String],
        identity: String?
    ) throws(ReadingError) -> Mailbox {
        let wanted = Set(addresses.map(Directory.folded))
        var names = wanted
        if let identity { names.insert(Directory.folded(identity)) }
        for mailbox in self.mailboxes where !mailbox.calledNames.isDisjoint(with: wanted) {
            names.formUnion(mailbox.calledNames)
        }
        // A name that another mailbox also has identifies neither.
        for mailbox in self.mailboxes where !mailbox.identities.isEmpty {
            let own = mailbox.calledNames
            if own.isDisjoint(with: wanted) { names.subtract(own) }
        }
        let matching = self.mailboxes.filter { names.contains(Directory.folded($0.address)) }
        let named = Set(matching.filter { !$0.identities.isEmpty }.map(\.address))
        guard named.count < 2 else {
            throw ReadingError(
                "\(named.sorted().joined(separator: " and ")) are two mailboxes in Exchange, but one "
                    + "account here: remove an address with gatepost account set --alias"
            )
        }
        guard var result = matching.first else {
            let found = self.mailboxes.map(\.address).prefix(5).joined(separator: ", ")
            throw ReadingError(
                "no row is certain to be about \(addresses.first ?? "it"); the rows are about "
                    + "\(found.isEmpty ? "nothing" : found): add the output of Get-Mailbox, or use "
                    + "--identity NAME"
            )
        }
        for other in matching.dropFirst() {
            result.identities += other.identities + [other.address]
            result.fullAccess += other.fullAccess
            result.sendAs += other.sendAs
            result.sendOnBehalf += other.sendOnBehalf
            result.folders += other.folders
        }
        return result
    }
}

extension PermissionsDocument.Mailbox {
    /// All names of the mailbox in the form that is compared; addresses without `SMTP:`.
    fileprivate var calledNames: Set<String> {
        Set(
            ([self.address] + self.identities).map {
                Directory.address($0) ?? Directory.folded($0)
            }
        )
    }
}
