/// A collector for rows of Exchange's cmdlets: `Get-MailboxPermission`, `Get-RecipientPermission`
/// (`Get-ADPermission` on premises), `Get-Mailbox` and `Get-MailboxFolderPermission`, also with
/// `EXO` in their names.
struct CmdletOutput {
    typealias Document = PermissionsDocument

    /// The cmdlet of a row.
    private enum Kind: String, CaseIterable {
        case mailboxPermission = "Get-MailboxPermission"
        case recipientPermission = "Get-RecipientPermission"
        case directoryPermission = "Get-ADPermission"
        case mailbox = "Get-Mailbox"
        case folderPermission = "Get-MailboxFolderPermission"
    }

    /// The mailboxes by name in lower case.
    private var mailboxes: [String: Document.Mailbox] = [:]
    /// The folder rows by mailbox.
    var folderRows: [String: FolderRows] = [:]
    var recipients: [Document.Recipient] = []
    /// The number of rows by cmdlet.
    private var counts: [Kind: Int] = [:]
    private var notes: Set<String> = []

    /// Adds one row.
    /// - Throws: ``ReadingError`` with the row and column that cannot be read.
    mutating func add(_ row: CmdletRow) throws(ReadingError) {
        // Older versions write several entries in one row.
        if case .array(let entries)? = row.value["PermissionList"], let user = row.value["User"] {
            for entry in entries {
                guard case .object(var members) = entry else {
                    throw row.fail("PermissionList", text: "cannot be read")
                }
                members["User"] = user
                members["Identity"] = row.value["Identity"]
                try self.add(
                    CmdletRow(place: row.place, value: .object(members), origin: row.origin)
                )
            }
            return
        }
        let kind = try Self.kind(of: row)
        self.counts[kind, default: 0] += 1
        // Record the mailbox even if none of its rows grants a right.
        if kind != .mailbox { try self.update(row) { _ in } }
        switch kind {
        case .mailboxPermission: try self.addMailboxPermission(row)
        case .recipientPermission: try self.addRecipientPermission(row)
        case .directoryPermission: try self.addDirectoryPermission(row)
        case .mailbox: try self.addMailbox(row)
        case .folderPermission: try self.addFolderPermission(row)
        }
    }

    /// Finds the cmdlet by the columns of a row.
    private static func kind(of row: CmdletRow) throws(ReadingError) -> Kind {
        if row.has("GrantSendOnBehalfTo") { return .mailbox }
        if row.has("ExtendedRights") { return .directoryPermission }
        if row.has("Trustee") { return .recipientPermission }
        if row.has("FolderName") || row.has("MailboxFolderUser") || row.has("FolderPath") {
            return .folderPermission
        }
        if row.has("User"), row.has("AccessRights") { return .mailboxPermission }
        throw ReadingError(
            "\(row.place) is no row of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }

    /// The document of all rows.
    ///
    /// - Parameter isWhole: whether every cmdlet ran. Otherwise a cmdlet without rows causes a
    ///   note.
    func document(isWhole: Bool = false) -> PermissionsDocument {
        var notes = self.notes
        if isWhole { return self.document(notes) }
        for kind in [Kind.mailboxPermission, .mailbox, .folderPermission]
        where self.counts[kind] == nil {
            notes.insert("no output of \(kind.rawValue) was given: nothing of it is loaded")
        }
        if self.counts[.recipientPermission] == nil, self.counts[.directoryPermission] == nil {
            notes.insert(
                "no output of Get-RecipientPermission (on premises Get-ADPermission) was given: "
                    + "no Send As is loaded"
            )
        }
        return self.document(notes)
    }

    private func document(_ notes: Set<String>) -> PermissionsDocument {
        var (mailboxes, notes) = (self.mailboxes, notes)
        for (identity, rows) in self.folderRows {
            let (folders, reasons) = rows.folders()
            mailboxes[identity]?.folders += folders
            notes.formUnion(reasons.map { "\(identity):\($0)" })
        }
        return PermissionsDocument(
            mailboxes: mailboxes.sorted { $0.key < $1.key }.map(\.value),
            recipients: self.recipients,
            notes: notes.sorted()
        )
    }

    // MARK: - Principals

    /// The principal in a row of mailbox permissions.
    func principal(
        _ row: CmdletRow,
        column: String,
        sid: String,
        address: String?
    ) throws(ReadingError) -> Document.Principal {
        var principal: Document.Principal
        if let raw = row.value[column]?["RawIdentity"]?.string {
            principal = Document.Principal(name: raw)
            let identifier = row.value[column]?["SecurityIdentifier"]
            principal.sid = identifier?.string ?? identifier?["Value"]?.string
        } else {
            guard let name = try row.name(column) else { throw row.fail(column, text: "is empty") }
            principal = row.principal(name)
        }
        principal.sid = try row.text(sid) ?? principal.sid
        if let address { principal.address = try row.text(address) }
        return principal
    }

    /// The principal in a row of folder permissions.
    static func folderPrincipal(_ row: CmdletRow) throws(ReadingError) -> Document.Principal {
        guard let user = row.value["User"], user != .null else {
            throw row.fail("User", text: "is empty")
        }
        var principal = Document.Principal(name: "")
        if case .object = user {
            guard let name = (user["DisplayName"] ?? user["UserPrincipalName"])?.string else {
                throw row.fail("User", text: "has no DisplayName: use ConvertTo-Json -Depth 5")
            }
            let type = user["UserType"]
            principal.name = name
            principal.kind = type?.string ?? (type?["value"] ?? type?["Value"])?.string
            let recipient = user["RecipientPrincipal"] ?? user["ADRecipient"]
            let guid = recipient?["Guid"]
            principal.guid = guid?.string ?? guid?["Guid"]?.string
            principal.address =
                recipient?["PrimarySmtpAddress"]?.string ?? user["UserPrincipalName"]?.string
        } else {
            guard let name = try row.name("User") else { throw row.fail("User", text: "is empty") }
            principal = row.principal(name)
        }
        if let extra = row.value["MailboxFolderUser"]?["UserPrincipalName"]?.string {
            principal.address = extra
        }
        return principal
    }

    // MARK: - Mailboxes

    /// Changes the mailbox that a row describes.
    mutating func update(
        _ row: CmdletRow,
        change: (inout PermissionsDocument.Mailbox) -> Void
    ) throws(ReadingError) {
        self.update(try Self.identity(of: row), change: change)
    }

    /// The mailbox that a row describes, in lower case.
    static func identity(of row: CmdletRow) throws(ReadingError) -> String {
        guard var identity = try row.exactText("Identity") else {
            throw row.fail("Identity", text: "is missing: it says which mailbox the row is about")
        }
        if let place = identity.firstRange(of: ":\\") {
            identity = String(identity[..<place.lowerBound])
        }
        guard let checked = try row.checked(identity, column: "Identity") else {
            throw row.fail("Identity", text: "is missing: it says which mailbox the row is about")
        }
        return Directory.folded(checked)
    }

    mutating func update(
        _ identity: String,
        change: (inout PermissionsDocument.Mailbox) -> Void
    ) {
        change(&self.mailboxes[identity, default: Document.Mailbox(address: identity)])
    }
}
