package import Access

/// What Exchange's folder roles and rights are in RFC 4314.
///
/// Rights on what one has made oneself (`EditOwnedItems`, `DeleteOwnedItems`) have no counterpart:
/// IMAP does not know who made a message.
package enum FolderRights {
    /// FullAccess of the mailbox; the list of who has what stays with Exchange, so no `a`.
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
        // Free and busy times of a calendar.
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

    /// - Returns: nil when one of the names is neither a role nor a right.
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
