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
    /// Whether a name is shown because a subscribed one is below it.
    let reportsSubscribedBelow: Bool
    private let needsSubscriptions: Bool

    init(_ request: ListRequest) {
        self.list = request.list
        self.isLsub = request.isLsub
        self.patterns = request.patterns
        self.reportsSubscribedBelow = request.reportsSubscribedBelow
        self.needsSubscriptions = request.needsSubscriptions
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

    /// What a name means to those above it.
    func selection(of entry: FolderTree.Entry) -> FolderTree.Below {
        let below: FolderTree.Below =
            entry.isSubscribed && !entry.isSubscribedAsParent && self.needsSubscriptions
            ? .subscribed : []
        guard self.reportsSubscribedBelow, self.isSelected(entry) else { return below }
        return below.union(self.matches(entry.name) ? .selected : [.selected, .selectedApart])
    }

    /// - Parameter tree: knows what is below the name; the entry itself may be gone from it.
    /// - Returns: none where the client did not ask for this name.
    func lines(for entry: FolderTree.Entry, in tree: borrowing FolderTree) -> [ByteBuffer] {
        let below = tree.below(entry.name)
        var entry = entry
        if entry.isSubscribedAsParent, below.contains(.subscribed) { entry.isSubscribed = false }
        guard self.matches(entry.name),
            self.isSelected(entry) || below.contains(.selectedApart),
            !self.isOmittedRoot(entry)
        else { return [] }
        let mailbox = ByteBuffer(bytes: ModifiedUTF7.encode(entry.name))
        var response = ListResponse(
            attributes: self.attributes(of: entry, below),
            delimiter: Namespace.delimiter,
            mailbox: mailbox
        )
        // RFC 5258 §3.5.
        if !self.isLsub, below.contains(.selected) { response.childInfo = ["SUBSCRIBED"] }
        var lines = [response.encoded(isLsub: self.isLsub)]
        if self.list.returnsMyRights, !entry.isParentOnly {
            lines.append(Reply.myRights(mailbox, rights: entry.rights.letters))
        }
        if var status = entry.status {
            status.mailbox = mailbox
            lines.append(status.encoded)
        }
        return lines
    }

    private func matches(_ name: [UInt8]) -> Bool {
        self.patterns.contains { $0.matches(name) }
    }

    /// Whether a name satisfies every selection option.
    private func isSelected(_ entry: FolderTree.Entry) -> Bool {
        if self.list.selectsSubscribed, !entry.isSubscribed { return false }
        guard self.list.selectsSpecialUse else { return true }
        return entry.isPersonal && entry.attributes.contains(where: Self.isSpecialUse)
    }

    private func attributes(of entry: FolderTree.Entry, _ below: FolderTree.Below) -> [ByteBuffer] {
        var attributes: [ByteBuffer]
        if entry.isParentOnly {
            attributes = [ByteBuffer(string: "\\NonExistent"), ByteBuffer(string: "\\Noselect")]
        } else {
            attributes = entry.attributes.filter {
                Self.passes($0, isPersonal: entry.isPersonal)
            }
        }
        if self.isLsub {
            // Here \Noselect means that the name itself is not subscribed (RFC 3501 §6.3.9).
            if entry.isSubscribed {
                attributes.removeAll {
                    $0.equals(word: "\\Noselect") || $0.equals(word: "\\NonExistent")
                }
            } else if !attributes.contains(where: { $0.equals(word: "\\Noselect") }) {
                attributes.append(ByteBuffer(string: "\\Noselect"))
            }
        } else if entry.isSubscribed, self.needsSubscriptions {
            attributes.append(ByteBuffer(string: "\\Subscribed"))
        }
        // Programs go down to where LSUB tells of children: there also names count that are only subscribed.
        let hasChildren = below.contains(.folder) || self.isLsub && below.contains(.selected)
        attributes.append(ByteBuffer(string: hasChildren ? "\\HasChildren" : "\\HasNoChildren"))
        return attributes
    }

    /// Whether a name is `Other Users` or `Shared`, and everything below is in the answer as well: Thunderbird takes
    /// it for a mailbox there. Programs that go down level by level ask with `%`, and need it.
    private func isOmittedRoot(_ entry: FolderTree.Entry) -> Bool {
        guard entry.isParentOnly, Namespace.isRoot(entry.name) else { return false }
        return self.patterns.allSatisfy {
            !$0.matches(entry.name) || $0.matchesAllBelow(entry.name)
        }
    }
}
