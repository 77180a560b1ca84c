import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The lines that answer a LIST or LSUB, from the folders the user may look up.
struct ListWriter {
    /// Attributes that pass as a server gives them. Those about children are worked out anew, and
    /// \Marked would tell of folders that were not asked for.
    private static let passing: [StaticString] = ["\\Noselect", "\\NonExistent", "\\Noinferiors"]
    /// Those that pass in the personal namespace only: a mail program files into the folder that has one.
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

    /// Whether the client is told an attribute that a server gave.
    /// - Parameter isPersonal: whether the name is one of the personal namespace.
    static func passes(_ attribute: ByteBuffer, isPersonal: Bool) -> Bool {
        self.passing.contains { attribute.equals(word: $0) }
            || isPersonal && self.isSpecialUse(attribute)
    }

    private static func isSpecialUse(_ attribute: ByteBuffer) -> Bool {
        self.specialUses.contains { attribute.equals(word: $0) }
    }

    /// - Parameter tree: knows what is below the name; the entry itself may be gone from it.
    /// - Returns: none where the client did not ask for this name.
    func lines(for entry: FolderTree.Entry, in tree: borrowing FolderTree) -> [ByteBuffer] {
        guard self.patterns.contains(where: { $0.matches(entry.name) }),
            !self.isOmittedRoot(entry),
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
            attributes += entry.attributes.filter {
                Self.passes($0, isPersonal: entry.isPersonal)
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
        entry.isPersonal && entry.attributes.contains(where: Self.isSpecialUse)
    }

    /// Whether a name is `Other Users` or `Shared`, and everything below is in the answer as well: Thunderbird takes
    /// it for a mailbox there. Programs that go down level by level ask with `%`, and need it.
    private func isOmittedRoot(_ entry: FolderTree.Entry) -> Bool {
        guard entry.isParentOnly, Namespace.isRoot(entry.name) else { return false }
        return self.patterns.allSatisfy {
            !$0.matches(entry.name) || $0.matchesAllBelow(entry.name)
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
