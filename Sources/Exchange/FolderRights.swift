package import Access

/// Exchange's folder roles and rights as rights of RFC 4314 §2.1.
///
/// Rights on one's own items (`EditOwnedItems`, `DeleteOwnedItems`) have no counterpart, because
/// IMAP does not record who created a message.
package enum FolderRights {
    /// FullAccess of a mailbox. Without `a`: Exchange manages the permissions.
    package static let fullAccess: Rights = [
        .edit, .createMailbox, .deleteMailbox,
    ]

    private static let roles: [String: Rights] = [
        "none": [],
        "contributor": [.lookup, .insert],
        "reviewer": .view,
        "noneditingauthor": [.view, .insert],
        "author": [.view, .insert],
        "publishingauthor": [.view, .insert, .createMailbox],
        "editor": .edit,
        "publishingeditor": [.edit, .createMailbox],
        "owner": [.edit, .createMailbox, .deleteMailbox],
        // Roles of a calendar: free and busy times.
        "availabilityonly": [],
        "limiteddetails": [],
    ]

    private static let rights: [String: Rights] = [
        "foldervisible": [.lookup],
        "readitems": [.read],
        "createitems": [.insert],
        "createsubfolders": [.createMailbox],
        "editallitems": [.seen, .write],
        "deleteallitems": [.deleteMessages, .expunge],
        "folderowner": [.lookup, .deleteMailbox],
        "editowneditems": [],
        "deleteowneditems": [],
        "foldercontact": [],
    ]

    /// The union of the rights of several roles and rights.
    /// - Returns: nil if a name is neither a role nor a right.
    package static func rights(named names: [String]) -> Rights? {
        var found: Rights = []
        for name in names {
            let key = name.lowercased()
            guard let rights = self.roles[key] ?? self.rights[key] else { return nil }
            found.formUnion(rights)
        }
        return found
    }
}
