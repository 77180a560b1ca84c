/// Loads mailboxes' permissions from Exchange Online.
package struct OnlineLoader: Sendable {
    /// Each folder is a request of its own.
    private static let maximumFolders = 5_000
    private static let maximumGroups = 1_000

    private let interface: AdminInterface
    private let web: Web

    package init(_ application: Application, _ tokens: TokenSource) {
        self.web = Web(caFile: application.caFile)
        self.interface = AdminInterface(application, tokens, self.web)
    }

    package func shutdown() async {
        await self.web.shutdown()
    }

    /// Everything about some mailboxes, with the organisation's recipients and the members of the
    /// groups that were given something.
    /// - Throws: when any part of it cannot be had: half of the permissions would be wrong ones.
    package func load(_ addresses: [String]) async throws -> PermissionsDocument {
        var output = CmdletOutput()
        var document = PermissionsDocument()
        for address in addresses {
            try await self.loadMailbox(address, &output, &document)
        }
        document.add(output.document(isWhole: true))
        let own = document.recipients
        document.recipients = try await self.directory()
        // A mailbox that the directory does not list, as hidden ones may be.
        let known = Set(document.recipients.flatMap(\.guids).map { $0.lowercased() })
        document.recipients += own.filter { recipient in
            known.isDisjoint(with: recipient.guids.map { $0.lowercased() })
        }
        document.hasWholeDirectory = true
        try await self.applications(&document)
        try await self.addMembers(to: &document)
        return document
    }

    // MARK: - One mailbox

    private func loadMailbox(
        _ address: String,
        _ output: inout CmdletOutput,
        _ document: inout PermissionsDocument
    ) async throws {
        let mailboxes = try await self.rows("Get-Mailbox", identity: address)
        guard mailboxes.count == 1, let mailbox = mailboxes.first else {
            throw OnlineError("Get-Mailbox finds \(mailboxes.count) mailboxes for \(address)")
        }
        let addresses =
            try [mailbox.text("PrimarySmtpAddress")].compactMap { $0 }
            + mailbox.words("EmailAddresses")
        guard addresses.compactMap(Directory.address).contains(address.lowercased()) else {
            throw OnlineError("Get-Mailbox answered about another mailbox than \(address)")
        }
        try output.add(mailbox)
        let names = try Self.names(of: mailbox)
        for cmdlet in ["Get-MailboxPermission", "Get-RecipientPermission"] {
            for row in try await self.rows(cmdlet, identity: address, all: true) {
                try output.add(row.naming(address, among: names))
            }
        }
        let folders = try await self.rows("Get-MailboxFolderStatistics", identity: address)
        guard folders.count <= Self.maximumFolders else {
            throw OnlineError("\(address) has more than \(Self.maximumFolders) folders")
        }
        var found = PermissionsDocument.Mailbox(address: address)
        for folder in folders {
            guard let path = try folder.text("FolderPath"), let id = try folder.text("FolderId"),
                let type = try folder.text("FolderType")
            else { throw OnlineError("\(folder.place) has no FolderPath, FolderId or FolderType") }
            guard FolderNames.mailTypes.contains(type.lowercased()) else { continue }
            var entries: [PermissionsDocument.FolderEntry] = []
            let identity = "\(address):\(id)"
            for row in try await self.rows(
                "Get-MailboxFolderPermission",
                identity: identity,
                all: true
            ) {
                entries.append(try CmdletOutput.folderEntry(row))
            }
            found.folders.append(
                PermissionsDocument.Folder(
                    path: path.split(separator: "/").map(String.init),
                    type: type,
                    entries: entries
                )
            )
        }
        document.mailboxes.append(found)
    }

    /// Everything that a row about a mailbox may call it by.
    private static func names(of mailbox: CmdletRow) throws(ReadingError) -> Set<String> {
        var names = Set(try mailbox.words("EmailAddresses").compactMap(Directory.address))
        for column in [
            "Identity", "Name", "DisplayName", "Alias", "DistinguishedName", "Id", "Guid",
            "ExchangeGuid", "ExternalDirectoryObjectId", "PrimarySmtpAddress", "UserPrincipalName",
            "LegacyExchangeDN", "SamAccountName",
        ] {
            if let name = try mailbox.text(column) { names.insert(name.lowercased()) }
        }
        return names
    }

    private func rows(
        _ cmdlet: String,
        identity: String? = nil,
        all: Bool = false
    ) async throws -> [CmdletRow] {
        var parameters: [String: AdminInterface.Parameter] = [:]
        if let identity { parameters["Identity"] = .text(identity) }
        if all { parameters["ResultSize"] = .text("Unlimited") }
        let rows = try await self.interface.invoke(cmdlet, parameters)
        return rows.enumerated().map { index, row in
            CmdletRow(
                place: "\(cmdlet) \(identity ?? ""), row \(index + 1)",
                value: row,
                origin: .online
            )
        }
    }

    // MARK: - The directory

    private func directory() async throws -> [PermissionsDocument.Recipient] {
        var recipients: [PermissionsDocument.Recipient] = []
        for row in try await self.rows("Get-Recipient", all: true) {
            recipients.append(try Self.recipient(row))
        }
        // Only these two know SIDs, and who is disabled.
        var indices: [String: Int] = [:]
        for (index, recipient) in recipients.enumerated() {
            for guid in recipient.guids { indices[guid.lowercased()] = index }
        }
        for cmdlet in ["Get-User", "Get-Group"] {
            for row in try await self.rows(cmdlet, all: true) {
                let principal = try Self.recipient(row)
                let index = principal.guids.lazy.compactMap { indices[$0.lowercased()] }.first
                guard let index else { continue }
                recipients[index].sids += principal.sids
                recipients[index].addresses += principal.addresses
                recipients[index].names += [try row.text("SamAccountName")].compactMap { $0 }
                recipients[index].isEnabled = principal.isEnabled
            }
        }
        return recipients
    }

    /// The applications that Exchange knows, the gateway's own among them: they have rights on
    /// mailboxes, and are nobody's.
    private func applications(
        _ document: inout PermissionsDocument
    ) async throws {
        let rows: [CmdletRow]
        do {
            rows = try await self.rows("Get-ServicePrincipal")
        } catch let error as OnlineError {
            document.notes.append(
                "the organisation's applications are not known (\(error)): their entries, the "
                    + "gateway's own among them, are listed as unresolved"
            )
            return
        }
        for row in rows {
            var application = PermissionsDocument.Recipient(type: "ServicePrincipal")
            for column in ["ObjectId", "AppId", "Guid", "ServiceId"] {
                if let guid = try row.text(column) { application.guids.append(guid) }
            }
            for column in ["DisplayName", "Name", "Identity"] {
                if let name = try row.text(column) { application.names.append(name) }
            }
            application.sids = [try row.text("Sid")].compactMap { $0 }
            document.recipients.append(application)
        }
    }

    private static func recipient(
        _ row: CmdletRow
    ) throws(ReadingError) -> PermissionsDocument.Recipient {
        var recipient = PermissionsDocument.Recipient()
        for column in ["Guid", "ExchangeGuid", "ExternalDirectoryObjectId"] {
            if let guid = try row.text(column), guid.contains(where: { $0 != "0" && $0 != "-" }) {
                recipient.guids.append(guid)
            }
        }
        for column in ["PrimarySmtpAddress", "WindowsLiveID", "UserPrincipalName"] {
            if let address = try row.text(column) { recipient.addresses.append(address) }
        }
        recipient.addresses += try row.words("EmailAddresses")
        for column in ["DisplayName", "Name", "Identity", "Alias", "DistinguishedName"] {
            if let name = try row.text(column) { recipient.names.append(name) }
        }
        if let sid = try row.text("Sid") { recipient.sids.append(sid) }
        recipient.sids += try row.words("SidHistory")
        recipient.type = try row.text("RecipientTypeDetails") ?? ""
        recipient.isEnabled = !(try row.flag("AccountDisabled") ?? false)
        return recipient
    }

    /// Members of the groups that something was given to, and of the groups in them.
    private func addMembers(to document: inout PermissionsDocument) async throws {
        let directory = Directory(document.recipients, isWhole: true)
        var waiting: Set<Int> = []
        for mailbox in document.mailboxes {
            for principal in mailbox.principals {
                guard case .one(let index) = directory.find(principal) else { continue }
                waiting.insert(index)
            }
        }
        var seen: Set<Int> = []
        var groups = 0
        while let index = waiting.popFirst() {
            guard seen.insert(index).inserted,
                let cmdlet = Self.membersCmdlet(document.recipients[index].type),
                let guid = document.recipients[index].guids.first
            else { continue }
            groups += 1
            guard groups <= Self.maximumGroups else {
                throw OnlineError("more than \(Self.maximumGroups) groups lie in each other")
            }
            var members: [String] = []
            for row in try await self.rows(cmdlet, identity: guid, all: true) {
                let member = try Self.recipient(row)
                guard let guid = member.guids.first else {
                    throw OnlineError("\(row.place) has no Guid")
                }
                members.append(guid)
                if case .one(let inner) = directory.member(guid) { waiting.insert(inner) }
            }
            document.recipients[index].members = members
        }
    }

    /// Nil for what is no group, or none whose members this way tells.
    private static func membersCmdlet(_ type: String) -> String? {
        switch type.lowercased() {
        case "mailuniversalsecuritygroup", "mailuniversaldistributiongroup",
            "mailnonuniversalgroup":
            "Get-DistributionGroupMember"
        case "dynamicdistributiongroup":
            "Get-DynamicDistributionGroupMember"
        default: nil
        }
    }
}

extension PermissionsDocument.Mailbox {
    /// Everybody that is named in it.
    fileprivate var principals: Set<PermissionsDocument.Principal> {
        var principals = Set((self.fullAccess + self.sendAs).map(\.principal))
        principals.formUnion(self.sendOnBehalf)
        for folder in self.folders { principals.formUnion(folder.entries.map(\.principal)) }
        return principals
    }
}

extension CmdletRow {
    /// The row, said to be about the mailbox with this address, which it may call otherwise.
    ///
    /// - Parameter names: what the mailbox is called, in lower case.
    /// - Throws: where it is about another one: an identity that is lost on the way means all.
    fileprivate func naming(
        _ address: String,
        among names: Set<String>
    ) throws -> CmdletRow {
        guard case .object(var members) = self.value else { return self }
        if let identity = try self.text("Identity")?.lowercased() {
            // `contoso.example/Users/Sales` and `CN=Sales,OU=…` end, or begin, with the name.
            let last = identity.split(separator: "/").last.map(String.init)
            let first = identity.hasPrefix("cn=") ? identity.dropFirst(3) : identity[...]
            let common = first.split(separator: ",").first.map(String.init)
            guard [identity, last, common].contains(where: { $0.map(names.contains) ?? false })
            else { throw OnlineError("\(self.place) is about \(identity), not \(address)") }
        }
        members["Identity"] = .string(address)
        return CmdletRow(place: self.place, value: .object(members), origin: self.origin)
    }
}
