/// The organization's recipients, applications and group members.
extension OnlineLoader {
    /// The most groups to expand: each one is a request.
    private static let maximumGroups = 1_000

    /// All recipients of the organization, with their SIDs and states.
    func directory() async throws -> [PermissionsDocument.Recipient] {
        var recipients: [PermissionsDocument.Recipient] = []
        for row in try await self.rows(Question(.recipient, isWhole: true)) {
            recipients.append(try Self.recipient(row))
        }
        // Only Get-User and Get-Group return SIDs, and whether an account is disabled.
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

    /// Adds the applications that Exchange knows, such as the gateway's. They have rights on
    /// mailboxes but belong to no user.
    func applications(
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

    /// Reads a recipient from a row of Get-Recipient, Get-User, Get-Group or a group's members.
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

    /// Adds the members of groups that have a right, and of the groups in them.
    func addMembers(to document: inout PermissionsDocument) async throws {
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
                throw OnlineError(
                    "more than \(Self.maximumGroups) groups have rights or are nested"
                )
            }
            // The documentation identifies dynamic groups by address.
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
                let member = try Self.guid(ofMember: row, in: directory)
                members.append(member)
                if case .one(let inner) = directory.member(member) { waiting.insert(inner) }
            }
            document.recipients[index].members = members
        }
    }

    /// The GUID of a member; found by its address if the row has none.
    private static func guid(ofMember row: CmdletRow, in directory: Directory) throws -> String {
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

    /// The cmdlet for a group's members; nil for other recipients, and for groups without one.
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
    /// All principals in the mailbox's lists.
    fileprivate var principals: Set<PermissionsDocument.Principal> {
        var principals = Set((self.fullAccess + self.sendAs).map(\.principal))
        principals.formUnion(self.sendOnBehalf)
        for folder in self.folders { principals.formUnion(folder.entries.map(\.principal)) }
        return principals
    }
}
