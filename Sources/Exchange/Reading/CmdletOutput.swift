/// Puts the rows of Exchange's cmdlets together: `Get-MailboxPermission`,
/// `Get-RecipientPermission` (`Get-ADPermission` on premises), `Get-Mailbox` and
/// `Get-MailboxFolderPermission`, with or without `EXO` in their names.
struct CmdletOutput {
    private typealias Document = PermissionsDocument

    private enum Kind: String, CaseIterable {
        case mailboxPermission = "Get-MailboxPermission"
        case recipientPermission = "Get-RecipientPermission"
        case directoryPermission = "Get-ADPermission"
        case mailbox = "Get-Mailbox"
        case folderPermission = "Get-MailboxFolderPermission"
    }

    private var mailboxes: [String: Document.Mailbox] = [:]
    private var folderRows: [String: FolderRows] = [:]
    private var recipients: [Document.Recipient] = []
    private var counts: [Kind: Int] = [:]
    private var notes: Set<String> = []

    /// Adds one row.
    mutating func add(_ row: CmdletRow) throws(ReadingError) {
        // An older interface put several entries in a row.
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
        // A mailbox is known even if none of its rows gives anything.
        if kind != .mailbox { try self.update(row) { _ in } }
        switch kind {
        case .mailboxPermission: try self.addMailboxPermission(row)
        case .recipientPermission: try self.addRecipientPermission(row)
        case .directoryPermission: try self.addDirectoryPermission(row)
        case .mailbox: try self.addMailbox(row)
        case .folderPermission: try self.addFolderPermission(row)
        }
    }

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

    /// Everything that was added.
    ///
    /// - Parameter isWhole: whether every cmdlet was asked, so that one without rows has none.
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

    // MARK: - The five kinds

    private mutating func addMailboxPermission(_ row: CmdletRow) throws(ReadingError) {
        guard let isDenied = try row.flag("Deny") else {
            throw row.fail("Deny", text: "is missing: a denial would look like a permission")
        }
        let rights = try row.words("AccessRights")
        guard !rights.isEmpty else { throw row.fail("AccessRights", text: "is empty") }
        for right in rights where !Self.mailboxRights.contains(right.lowercased()) {
            throw row.fail("AccessRights", text: "has \(right), which is no right of a mailbox")
        }
        guard rights.contains(where: { $0.lowercased() == "fullaccess" }) else { return }
        let entry = Document.AccessEntry(
            principal: try self.principal(
                row,
                column: "User",
                sid: "UserSid",
                address: "PrimarySmtpAddress"
            ),
            isDenied: isDenied,
            isInherited: try Self.isInherited(row)
        )
        try self.update(row) { $0.fullAccess.append(entry) }
    }

    private static func isInherited(_ row: CmdletRow) throws(ReadingError) -> Bool {
        guard let isInherited = try row.flag("IsInherited") else {
            throw row.fail(
                "IsInherited",
                text: "is missing: what administrators have everywhere would look like a permission"
            )
        }
        return isInherited
    }

    private static let mailboxRights: Set<String> = [
        "fullaccess", "readpermission", "changepermission", "changeowner", "deleteitem",
        "externalaccount", "sendas",
    ]

    private mutating func addRecipientPermission(_ row: CmdletRow) throws(ReadingError) {
        let rights = try row.words("AccessRights", numbers: [1: "SendAs"])
        guard rights.map({ $0.lowercased() }) == ["sendas"] else {
            throw row.fail("AccessRights", text: "is \(rights.joined(separator: ", ")), not SendAs")
        }
        var isDenied = try row.flag("Deny") ?? false
        switch try row.text("AccessControlType")?.lowercased() {
        case "deny": isDenied = true
        case "allow": break
        case nil:
            guard row.has("Deny") else {
                throw row.fail(
                    "AccessControlType",
                    text: "is missing: a denial would look like a permission"
                )
            }
        case let other?: throw row.fail("AccessControlType", text: "is \(other), not Allow or Deny")
        }
        let entry = Document.AccessEntry(
            principal: try self.principal(
                row,
                column: "Trustee",
                sid: "TrusteeSidString",
                address: "TrusteeWithPrimarySmtpAddress"
            ),
            isDenied: isDenied,
            isInherited: try row.flag("IsInherited") ?? false
        )
        try self.update(row) { $0.sendAs.append(entry) }
    }

    private mutating func addDirectoryPermission(_ row: CmdletRow) throws(ReadingError) {
        guard let isDenied = try row.flag("Deny") else {
            throw row.fail("Deny", text: "is missing: a denial would look like a permission")
        }
        let rights = try row.words("ExtendedRights").map { $0.lowercased() }
        // To deny everything, or every extended right, is to deny this one.
        let access = try row.words("AccessRights").map { $0.lowercased() }
        let isAll =
            access.contains("genericall") || access.contains("extendedright") && rights.isEmpty
        guard rights.contains("send-as") || rights.contains("send as") || isDenied && isAll else {
            return
        }
        let entry = Document.AccessEntry(
            principal: try self.principal(row, column: "User", sid: "UserSid", address: nil),
            isDenied: isDenied,
            isInherited: try Self.isInherited(row)
        )
        try self.update(row) { $0.sendAs.append(entry) }
    }

    private mutating func addMailbox(_ row: CmdletRow) throws(ReadingError) {
        guard let address = try row.text("PrimarySmtpAddress").flatMap(Directory.address) else {
            throw row.fail("PrimarySmtpAddress", text: "is missing, or no address")
        }
        var names: [String] = []
        for column in ["Identity", "Name", "Alias", "DistinguishedName", "Id"] {
            if let name = try row.name(column) { names.append(name) }
        }
        // Any two mailboxes may show the same name.
        let shown = try row.name("DisplayName").map { [$0] } ?? []
        var guids: [String] = []
        for column in ["Guid", "ExchangeGuid", "ExternalDirectoryObjectId"] {
            if let guid = try row.text(column) { guids.append(guid) }
        }
        var addresses = [address]
        addresses += try row.words("EmailAddresses").compactMap(Directory.address)
        if let name = try row.text("UserPrincipalName") { addresses.append(name) }
        // With display names and addresses, where the administrator asked for them.
        var delegates: [Document.Principal] = []
        for delegate in try row.names("GrantSendOnBehalfTo") {
            delegates.append(row.principal(delegate))
        }
        let type = try row.text("RecipientTypeDetails") ?? "UserMailbox"
        self.recipients.append(
            Document.Recipient(
                guids: guids,
                addresses: addresses,
                names: names + shown,
                type: type,
                isEnabled: !(try row.flag("AccountDisabled") ?? false)
            )
        )
        let identities = names + guids + addresses
        self.update(address) { mailbox in
            mailbox.identities += identities
            mailbox.sendOnBehalf += delegates
        }
    }

    private mutating func addFolderPermission(_ row: CmdletRow) throws(ReadingError) {
        let identity = try row.exactText("Identity")
        let named = try row.exactText("FolderPath").flatMap { $0.isEmpty ? nil : $0 }
        guard let path = named ?? identity.flatMap(Self.folderPart) else {
            throw row.fail(
                "Identity",
                text:
                    "does not say which folder (MAILBOX:\\Folder\\Sub), and FolderName is only the last "
                    + "part: use gatepost's script"
            )
        }
        let name = try row.exactText("FolderName").flatMap { $0.isEmpty ? nil : $0 }
        if row.origin == .csv(isASCII: true) {
            try row.checkLetters(path, column: named == nil ? "Identity" : "FolderPath")
        }
        let folderRow = FolderRows.Row(
            path: path,
            name: name,
            type: try row.text("FolderType"),
            entry: try Self.folderEntry(row)
        )
        let mailbox = try Self.identity(of: row)
        self.folderRows[mailbox, default: FolderRows()].add(folderRow)
    }

    /// Who has what in a folder.
    static func folderEntry(
        _ row: CmdletRow
    ) throws(ReadingError) -> PermissionsDocument.FolderEntry {
        let entry = Document.FolderEntry(
            principal: try self.folderPrincipal(row),
            rights: try row.words("AccessRights")
        )
        guard !entry.rights.isEmpty else { throw row.fail("AccessRights", text: "is empty") }
        guard FolderRights.rights(named: entry.rights) != nil else {
            throw row.fail(
                "AccessRights",
                text: "is \(entry.rights.joined(separator: ", ")): no role or right of a folder"
            )
        }
        return entry
    }

    /// What follows the colon of `MAILBOX:\Folder\Sub`.
    private static func folderPart(_ identity: String) -> String? {
        guard let place = identity.firstRange(of: ":\\") else { return nil }
        return String(identity[place.lowerBound...].dropFirst())
    }

    // MARK: - Principals

    private func principal(
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

    private static func folderPrincipal(_ row: CmdletRow) throws(ReadingError) -> Document.Principal
    {
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

    // MARK: - Which mailbox

    private mutating func update(
        _ row: CmdletRow,
        change: (inout PermissionsDocument.Mailbox) -> Void
    ) throws(ReadingError) {
        self.update(try Self.identity(of: row), change: change)
    }

    /// The mailbox that a row is about, folded.
    private static func identity(of row: CmdletRow) throws(ReadingError) -> String {
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

    private mutating func update(
        _ identity: String,
        change: (inout PermissionsDocument.Mailbox) -> Void
    ) {
        change(&self.mailboxes[identity, default: Document.Mailbox(address: identity)])
    }
}
