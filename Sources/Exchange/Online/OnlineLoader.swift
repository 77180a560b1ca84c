package import Foundation

/// Loads mailboxes' permissions from Exchange Online.
package struct OnlineLoader: Sendable {
    /// Each folder is a request of its own.
    private static let maximumFolders = 5_000
    private static let maximumGroups = 1_000

    private let interface: AdminInterface
    private let web: Web

    /// - Parameter now: the time by which a token that is refused counts as old.
    package init(
        _ application: Application,
        _ tokens: TokenSource,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.web = Web(caFile: application.caFile)
        self.interface = AdminInterface(
            AdminTransport(application: application, tokens: tokens, web: self.web, now: now)
        )
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
        document.notes += await self.interface.notes
        return document
    }

    // MARK: - One mailbox

    private func loadMailbox(
        _ address: String,
        _ output: inout CmdletOutput,
        _ document: inout PermissionsDocument
    ) async throws {
        let mailbox = try await self.mailbox(address)
        try output.add(mailbox)
        let names = try Self.names(of: mailbox)
        for cmdlet in [Cmdlet.mailboxPermission, .recipientPermission] {
            let question = Question(cmdlet, identity: address, isWhole: true)
            for row in try await self.rows(question) {
                try output.add(row.naming(address, among: names))
            }
        }
        let folders = try await self.rows(Question(.folderStatistics, identity: address))
        guard folders.count <= Self.maximumFolders else {
            throw OnlineError("\(address) has more than \(Self.maximumFolders) folders")
        }
        var found = PermissionsDocument.Mailbox(address: address)
        for row in folders {
            guard let path = try row.exactText("FolderPath"), let id = try row.text("FolderId"),
                let type = try row.text("FolderType")
            else { throw OnlineError("\(row.place) has no FolderPath, FolderId or FolderType") }
            guard FolderNames.mailTypes.contains(type.lowercased()) else { continue }
            let components = path.split(separator: "/").map(String.init)
            switch try await self.entries(address, components, id) {
            case .success(let entries):
                found.folders.append(
                    PermissionsDocument.Folder(path: components, type: type, entries: entries)
                )
            case .failure(let error): document.notes.append(error.description)
            }
        }
        document.mailboxes.append(found)
    }

    /// A mailbox's row. Where the Admin API v2.0 leaves something out of it that a load needs,
    /// `InvokeCommand` is asked for that.
    private func mailbox(_ address: String) async throws -> CmdletRow {
        let row = try await self.mailbox(address, documented: .same)
        let needed = ["Identity", "PrimarySmtpAddress", "EmailAddresses", "GrantSendOnBehalfTo"]
        let missing = needed.filter { !row.has($0) }
        guard !missing.isEmpty, await self.interface.isDocumented(.mailbox) else {
            return try Self.checked(row, address)
        }
        let why = "leaves \(missing.joined(separator: ", ")) out"
        let other = try Self.checked(
            try await self.mailbox(address, documented: .not(why)),
            address
        )
        guard case .object(let members) = row.value, case .object(let others) = other.value else {
            return other
        }
        let value = JSONValue.object(members.merging(others) { documented, _ in documented })
        return try Self.checked(
            CmdletRow(place: row.place, value: value, origin: row.origin),
            address
        )
    }

    private func mailbox(
        _ address: String,
        documented: Question.Documented
    ) async throws -> CmdletRow {
        let question = Question(.mailbox, identity: address, documented: documented)
        let rows = try await self.rows(question)
        guard rows.count == 1, let row = rows.first else {
            throw OnlineError("Get-Mailbox finds \(rows.count) mailboxes for \(address)")
        }
        return row
    }

    /// - Throws: where the row is about another mailbox.
    private static func checked(_ row: CmdletRow, _ address: String) throws -> CmdletRow {
        let addresses =
            try [row.text("PrimarySmtpAddress")].compactMap { $0 } + row.words("EmailAddresses")
        guard addresses.compactMap(Directory.address).contains(Directory.folded(address)) else {
            throw OnlineError("Get-Mailbox answered about another mailbox than \(address)")
        }
        return row
    }

    /// The entries of one folder; a failure where the answer is about another folder.
    ///
    /// The Admin API v2.0 calls a folder by its path, which is not certain where a name has the `\` in
    /// it that is between names there; `InvokeCommand` calls it by its id.
    private func entries(
        _ address: String,
        _ components: [String],
        _ id: String
    ) async throws -> Result<[PermissionsDocument.FolderEntry], OnlineError> {
        let path = "\(address):\\" + components.joined(separator: "\\")
        let isCertain = !components.contains { $0.contains("\\") }
        let question = Question(
            .folderPermission,
            identity: "\(address):\(id)",
            isWhole: true,
            documented: isCertain
                ? .identity(path) : .not("cannot call a folder by a path with a name that has a \\")
        )
        var entries: [PermissionsDocument.FolderEntry] = []
        for row in try await self.rows(question) {
            let name = try row.exactText("FolderName")
            if let name, let last = components.last, !FolderRows.isSame(name, last) {
                return .failure(
                    OnlineError(
                        "\(path): its entries are left out, because Exchange answered about \(name)"
                    )
                )
            }
            entries.append(try CmdletOutput.folderEntry(row))
        }
        return .success(entries)
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

    private func rows(_ question: Question) async throws -> [CmdletRow] {
        let rows = try await self.interface.ask(question)
        let place = "\(question.cmdlet.rawValue) \(question.identity ?? "")"
        return rows.enumerated().map { index, row in
            CmdletRow(place: "\(place), row \(index + 1)", value: row, origin: .online)
        }
    }

    // MARK: - The directory

    private func directory() async throws -> [PermissionsDocument.Recipient] {
        var recipients: [PermissionsDocument.Recipient] = []
        for row in try await self.rows(Question(.recipient, isWhole: true)) {
            recipients.append(try Self.recipient(row))
        }
        // Only these two know SIDs, and who is disabled.
        var indices: [String: Int] = [:]
        for (index, recipient) in recipients.enumerated() {
            for guid in recipient.guids { indices[guid.lowercased()] = index }
        }
        for cmdlet in [Cmdlet.user, .group] {
            for row in try await self.rows(Question(cmdlet, isWhole: true)) {
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
            rows = try await self.rows(Question(.servicePrincipal))
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
            let group = document.recipients[index]
            guard seen.insert(index).inserted, let cmdlet = Self.membersCmdlet(group.type),
                let guid = group.guids.first
            else { continue }
            groups += 1
            guard groups <= Self.maximumGroups else {
                throw OnlineError("more than \(Self.maximumGroups) groups lie in each other")
            }
            // The endpoint of dynamic groups is documented with an address.
            let address = group.addresses.first.flatMap(Directory.address)
            let isDynamic = cmdlet == .dynamicGroupMember
            let question = Question(
                cmdlet,
                identity: guid,
                isWhole: true,
                documented: isDynamic ? address.map { .identity($0) } ?? .same : .same
            )
            var members: [String] = []
            for row in try await self.rows(question) {
                let member = try Self.guid(ofMember: row, directory)
                members.append(member)
                if case .one(let inner) = directory.member(member) { waiting.insert(inner) }
            }
            document.recipients[index].members = members
        }
    }

    /// By its address, where a row has no GUID.
    private static func guid(ofMember row: CmdletRow, _ directory: Directory) throws -> String {
        let member = try Self.recipient(row)
        if let guid = member.guids.first { return guid }
        if let address = member.addresses.first,
            case .one(let index) = directory.find(.init(name: address)),
            let guid = directory.recipients[index].guids.first
        {
            return guid
        }
        throw OnlineError("\(row.place) has no Guid")
    }

    /// Nil for what is no group, or none whose members this way tells.
    private static func membersCmdlet(_ type: String) -> Cmdlet? {
        switch type.lowercased() {
        case "mailuniversalsecuritygroup", "mailuniversaldistributiongroup",
            "mailnonuniversalgroup":
            .groupMember
        case "dynamicdistributiongroup":
            .dynamicGroupMember
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
