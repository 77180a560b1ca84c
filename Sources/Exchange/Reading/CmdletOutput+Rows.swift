/// The reading of rows, by cmdlet.
extension CmdletOutput {
    /// Adds a row of Get-MailboxPermission; only FullAccess counts.
    mutating func addMailboxPermission(_ row: CmdletRow) throws(ReadingError) {
        guard let isDenied = try row.flag("Deny") else {
            throw row.fail("Deny", text: "is missing: a denial would look like a permission")
        }
        let rights = try row.words("AccessRights")
        guard !rights.isEmpty else { throw row.fail("AccessRights", text: "is empty") }
        for right in rights where !Self.mailboxRights.contains(right.lowercased()) {
            throw row.fail("AccessRights", text: "has \(right), which is not a mailbox right")
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

    /// Whether the entry is inherited. A missing column is an error.
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

    /// Adds a row of Get-RecipientPermission: Send As.
    mutating func addRecipientPermission(_ row: CmdletRow) throws(ReadingError) {
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

    /// Adds a row of Get-ADPermission: Send As on premises.
    mutating func addDirectoryPermission(_ row: CmdletRow) throws(ReadingError) {
        guard let isDenied = try row.flag("Deny") else {
            throw row.fail("Deny", text: "is missing: a denial would look like a permission")
        }
        let rights = try row.words("ExtendedRights").map { $0.lowercased() }
        // A denial of all rights, or of all extended rights, denies Send As.
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

    /// Adds a row of Get-Mailbox: names, and Send on Behalf.
    mutating func addMailbox(_ row: CmdletRow) throws(ReadingError) {
        guard let address = try row.text("PrimarySmtpAddress").flatMap(Directory.address) else {
            throw row.fail("PrimarySmtpAddress", text: "is missing, or no address")
        }
        var names: [String] = []
        for column in ["Identity", "Name", "Alias", "DistinguishedName", "Id"] {
            if let name = try row.name(column) { names.append(name) }
        }
        // Two mailboxes may have the same display name: it does not identify one.
        let shown = try row.name("DisplayName").map { [$0] } ?? []
        var guids: [String] = []
        for column in ["Guid", "ExchangeGuid", "ExternalDirectoryObjectId"] {
            if let guid = try row.text(column) { guids.append(guid) }
        }
        var addresses = [address]
        addresses += try row.words("EmailAddresses").compactMap(Directory.address)
        if let name = try row.text("UserPrincipalName") { addresses.append(name) }
        // Delegates have display names and addresses if the administrator requested them.
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

    /// Adds a row of Get-MailboxFolderPermission.
    mutating func addFolderPermission(_ row: CmdletRow) throws(ReadingError) {
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

    /// An entry of a folder's list.
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

    /// The part after the colon in `MAILBOX:\Folder\Sub`.
    private static func folderPart(_ identity: String) -> String? {
        guard let place = identity.firstRange(of: ":\\") else { return nil }
        return String(identity[place.lowerBound...].dropFirst())
    }
}
