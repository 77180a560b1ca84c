/// The rows that cmdlets of Exchange print about the organization.
extension ExchangeOrganization {
    /// The rows of a cmdlet.
    /// - Returns: nil if the identity does not exist.
    func rows(_ cmdlet: String, identity: String?) -> [[String: any Sendable]]? {
        switch cmdlet {
        case "Get-Mailbox":
            return self.mailbox(identity).map { [self.row(of: $0)] }
        case "Get-MailboxPermission":
            return self.mailbox(identity).map(self.fullAccessRows)
        case "Get-RecipientPermission":
            return self.mailbox(identity).map(self.sendAsRows)
        case "Get-MailboxFolderStatistics":
            return self.mailbox(identity).map(self.folderRows)
        case "Get-MailboxFolderPermission":
            return self.permissionRows(identity ?? "")
        case "Get-User":
            return self.mailboxes.map(self.userRow)
        case "Get-Group":
            return self.groups.map { group in
                ["Guid": self.guid(group.address), "Sid": self.sid(group.address)]
            }
        case "Get-ServicePrincipal":
            return self.applications.map { application in
                [
                    "AppId": application.id, "ObjectId": self.guid(application.id),
                    "DisplayName": application.name, "Sid": self.sid(application.name),
                ]
            }
        case "Get-Recipient":
            return self.mailboxes.map(self.recipientRow) + self.groups.map(self.recipientRow)
        case "Get-DistributionGroupMember", "Get-DynamicDistributionGroupMember":
            let isDynamic = cmdlet.contains("Dynamic")
            let group = self.groups.first { group in
                isDynamic == (group.type == "DynamicDistributionGroup")
                    && [self.guid(group.address), group.address].contains(identity)
            }
            return group?.members.compactMap { member in
                self.mailboxes.first { $0.address == member }.map(self.recipientRow)
                    ?? self.groups.first { $0.address == member }.map(self.recipientRow)
            }
        default:
            return nil
        }
    }

    private func mailbox(_ identity: String?) -> Mailbox? {
        self.mailboxes.first { $0.address == identity || $0.aliases.contains(identity ?? "") }
    }

    /// A GUID that is derived from a name.
    private func guid(_ name: String) -> String {
        let number = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        let text = String(number & 0xFFFF_FFFF_FFFF, radix: 16)
        return "3a0c7c5e-0000-4000-8000-" + String(repeating: "0", count: 12 - text.count) + text
    }

    /// A SID in the organization's domain that is derived from an address or name.
    private func sid(_ name: String) -> String {
        let known =
            self.mailboxes.first { $0.address == name || $0.name == name }?.address
            ?? self.groups.first { $0.address == name || $0.name == name }?.address ?? name
        let number = known.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return "S-1-5-21-1004336348-1177238915-682003330-\(number)"
    }

    private func userRow(_ mailbox: Mailbox) -> [String: any Sendable] {
        [
            "Guid": self.guid(mailbox.address), "Sid": self.sid(mailbox.address),
            "SidHistory": [String](), "UserPrincipalName": mailbox.address,
            "AccountDisabled": mailbox.type == "SharedMailbox"
                || self.disabled.contains(mailbox.address),
        ]
    }

    private func row(of mailbox: Mailbox) -> [String: any Sendable] {
        [
            "Identity": mailbox.name, "UserPrincipalName": mailbox.address,
            "DisplayName": mailbox.name, "PrimarySmtpAddress": mailbox.address,
            "RecipientTypeDetails": mailbox.type, "IsShared": mailbox.type == "SharedMailbox",
            "ExchangeGuid": self.guid("exchange " + mailbox.address),
            "ExternalDirectoryObjectId": self.guid(mailbox.address),
            "EmailAddresses": ["SMTP:" + mailbox.address, "SIP:" + mailbox.address]
                + mailbox.aliases.map { "smtp:" + $0 }, "GrantSendOnBehalfTo": mailbox.sendOnBehalf,
            "MessageCopyForSentAsEnabled": false, "MessageCopyForSendOnBehalfEnabled": false,
            "HiddenFromAddressListsEnabled": false,
            "AccountDisabled": mailbox.type == "SharedMailbox",
        ]
    }

    private func recipientRow(_ mailbox: Mailbox) -> [String: any Sendable] {
        [
            "Guid": self.guid(mailbox.address), "DisplayName": mailbox.name, "Name": mailbox.name,
            "PrimarySmtpAddress": mailbox.address, "WindowsLiveID": mailbox.address,
            "EmailAddresses": ["SMTP:" + mailbox.address] + mailbox.aliases.map { "smtp:" + $0 },
            "RecipientTypeDetails": mailbox.type,
            "ExternalDirectoryObjectId": self.guid(mailbox.address),
        ]
    }

    private func recipientRow(_ group: Group) -> [String: any Sendable] {
        [
            "Guid": self.guid(group.address), "DisplayName": group.name, "Name": group.name,
            "PrimarySmtpAddress": group.address, "EmailAddresses": ["SMTP:" + group.address],
            "RecipientTypeDetails": group.type,
        ]
    }

    /// FullAccess in the form of a captured response: list elements that are lists themselves, a
    /// SID, and an address that is always empty.
    private func fullAccessRows(_ mailbox: Mailbox) -> [[String: any Sendable]] {
        let own: [String: any Sendable] = [
            "User": #"NT AUTHORITY\SELF"#, "AccessRights": ["FullAccess, ReadPermission"],
            "AccessRights@odata.type": "#Collection(String)", "Deny": false, "IsInherited": false,
            "UserSid": "S-1-5-10", "PrimarySmtpAddress": "",
        ]
        return [own]
            + mailbox.fullAccess.map { entry in
                [
                    "Identity": self.answersAbout ?? mailbox.name, "User": entry.user,
                    "AccessRights": ["FullAccess"],
                    "AccessRights@odata.type": "#Collection(String)", "Deny": entry.isDenied,
                    "IsInherited": false, "UserSid": self.sid(entry.user),
                    "PrimarySmtpAddress": "",
                ]
            }
    }

    private func sendAsRows(_ mailbox: Mailbox) -> [[String: any Sendable]] {
        ([Entry(user: #"NT AUTHORITY\SELF"#)] + mailbox.sendAs).map { entry in
            [
                "Trustee": entry.user, "AccessRights": ["SendAs"],
                "AccessControlType": entry.isDenied ? "Deny" : "Allow",
                "TrusteeSidString": entry.user.hasSuffix("SELF")
                    ? "S-1-5-10" : self.sid(entry.user),
                "TrusteeWithPrimarySmtpAddress": "",
            ]
        }
    }

    private func folderRows(_ mailbox: Mailbox) -> [[String: any Sendable]] {
        let all =
            [Folder(path: "Top of Information Store", type: "Root")] + mailbox.folders
            + [Folder(path: "Calendar", type: "Calendar")]
        return all.map { folder in
            [
                "Name": folder.path.split(separator: "/").last.map(String.init) ?? "",
                "FolderPath": "/" + folder.path, "FolderType": folder.type,
                "FolderId": self.guid(folder.path), "Identity": "\(mailbox.name)\\\(folder.path)",
            ]
        }
    }

    private func permissionRows(_ identity: String) -> [[String: any Sendable]]? {
        let parts = identity.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let mailbox = self.mailbox(parts[0]),
            let folder = mailbox.folders.first(where: { folder in
                [self.guid(folder.path), "\\" + folder.path.replacing("/", with: "\\")]
                    .contains(parts[1])
            })
        else { return nil }
        let last = folder.path.split(separator: "/").last.map(String.init) ?? ""
        let name = (folder.shownName ?? last).replacing("\u{F8FF}", with: "/")
        var entries = folder.entries
        for known in ["Default", "Anonymous"] where !entries.contains(where: { $0.user == known }) {
            entries.append((known, ["None"]))
        }
        return entries.map { entry in
            [
                "Identity": identity, "FolderName": name, "User": entry.user,
                "AccessRights": entry.rights,
            ]
        }
    }
}
