import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The lines that answer a LIST or LSUB, from the folders the user may look up.
struct ListWriter {
    /// Attributes that pass as a server gives them. Those about children are worked out anew, and
    /// \Marked would tell of folders that were not asked for.
    static let passing: [StaticString] = [
        "\\Noselect", "\\NonExistent", "\\Noinferiors", "\\All", "\\Archive", "\\Drafts",
        "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash",
    ]
    private static let specialUses: [StaticString] = [
        "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash",
    ]

    let list: List
    let isLsub: Bool
    let patterns: [MailboxPattern]

    init(_ listing: Listing) {
        self.list = listing.list
        self.isLsub = listing.isLsub
        self.patterns = listing.patterns
    }

    /// - Parameter tree: knows what is below the name; the entry itself may be gone from it.
    /// - Returns: none where the client did not ask for this name.
    func lines(for entry: FolderTree.Entry, in tree: borrowing FolderTree) -> [ByteBuffer] {
        guard self.patterns.contains(where: { $0.matches(entry.name) }),
            let attributes = self.attributes(of: entry, in: tree)
        else { return [] }
        let mailbox = ByteBuffer(bytes: ModifiedUTF7.encode(entry.name))
        var response = ListResponse(
            attributes: attributes,
            delimiter: Namespace.delimiter,
            mailbox: mailbox
        )
        if self.hasSubscribedBelow(entry, in: tree) { response.childInfo = ["SUBSCRIBED"] }
        var lines = [response.encoded(isLsub: self.isLsub)]
        if self.list.returnsMyRights, !entry.isParentOnly {
            lines.append(Reply.myRights(mailbox, entry.rights.letters))
        }
        if var status = entry.status {
            status.mailbox = mailbox
            lines.append(status.encoded)
        }
        return lines
    }

    /// The attributes of a line, or nil where the selection options leave the name out.
    private func attributes(
        of entry: FolderTree.Entry,
        in tree: borrowing FolderTree
    ) -> [ByteBuffer]? {
        let list = self.list
        if list.selectsSubscribed, !entry.isSubscribed {
            guard self.hasSubscribedBelow(entry, in: tree) || self.isImplied(entry, in: tree)
            else { return nil }
        }
        if list.selectsSpecialUse, !self.isSpecialUse(entry) { return nil }
        var attributes: [ByteBuffer] = []
        if entry.isParentOnly {
            attributes += [ByteBuffer(string: "\\NonExistent"), ByteBuffer(string: "\\Noselect")]
        } else {
            attributes += entry.attributes.filter { attribute in
                Self.passing.contains { attribute.equals(word: $0) }
            }
        }
        if entry.isSubscribed, list.needsSubscriptions, !self.isLsub {
            attributes.append(ByteBuffer(string: "\\Subscribed"))
        }
        let hasChildren = tree.hasChildren(entry.name)
        attributes.append(ByteBuffer(string: hasChildren ? "\\HasChildren" : "\\HasNoChildren"))
        return attributes
    }

    private func isSpecialUse(_ entry: FolderTree.Entry) -> Bool {
        entry.attributes.contains { attribute in
            Self.specialUses.contains { attribute.equals(word: $0) }
        }
    }

    /// RFC 5258 §3.5: with RECURSIVEMATCH a name counts when something below it is subscribed.
    private func hasSubscribedBelow(
        _ entry: FolderTree.Entry,
        in tree: borrowing FolderTree
    ) -> Bool {
        guard self.list.isRecursiveMatch, !self.isLsub else { return false }
        return tree.hasSubscribedBelow(entry.name)
    }

    /// RFC 3501 §6.3.9: LSUB of `%` shows the parent of a subscribed name, as not selectable.
    private func isImplied(
        _ entry: FolderTree.Entry,
        in tree: borrowing FolderTree
    ) -> Bool {
        guard self.isLsub, tree.hasSubscribedBelow(entry.name) else { return false }
        return !self.patterns.contains { $0.matchesAllBelow(entry.name) }
    }
}
