import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Writes the response lines of LIST and LSUB for the folders that the user may look up.
struct ListWriter {
    /// Server attributes that are forwarded. The attributes about children are computed from the visible folders.
    /// `\Marked` and `\Unmarked` are omitted, because they would reveal changes of folders that the user may not read.
    private static let passing: [StaticString] = ["\\Noselect", "\\NonExistent", "\\Noinferiors"]
    /// Special uses (RFC 6154 §2). They are forwarded in the personal namespace only, because a mail program files
    /// messages into the folder with a special use.
    private static let specialUses: [StaticString] = [
        "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash",
    ]

    let list: List
    let isLsub: Bool
    let patterns: [MailboxPattern]
    /// Whether a name is listed because a name below it is subscribed (``ListRequest/reportsSubscribedBelow``).
    let reportsSubscribedBelow: Bool
    private let needsSubscriptions: Bool

    init(_ request: ListRequest) {
        self.list = request.list
        self.isLsub = request.isLsub
        self.patterns = request.patterns
        self.reportsSubscribedBelow = request.reportsSubscribedBelow
        self.needsSubscriptions = request.needsSubscriptions
    }

    /// Whether a server's attribute is forwarded to the client.
    ///
    /// - Parameter isPersonal: whether the name is in the personal namespace.
    static func passes(_ attribute: ByteBuffer, isPersonal: Bool) -> Bool {
        self.passing.contains { attribute.equals(word: $0) }
            || isPersonal && self.isSpecialUse(attribute)
    }

    /// Whether an attribute is a special use (RFC 6154 §2, RFC 8457).
    private static func isSpecialUse(_ attribute: ByteBuffer) -> Bool {
        self.specialUses.contains { attribute.equals(word: $0) }
    }

    /// What a name contributes to its parents: whether a subscribed or a selected name is below them.
    func selection(of entry: FolderTree.Entry) -> FolderTree.Below {
        let below: FolderTree.Below =
            entry.isSubscribed && !entry.isSubscribedAsParent && self.needsSubscriptions
            ? .subscribed : []
        guard self.reportsSubscribedBelow, self.isSelected(entry) else { return below }
        return below.union(self.matches(entry.name) ? .selected : [.selected, .selectedApart])
    }

    /// The responses for one name: LIST or LSUB, then MYRIGHTS and STATUS if requested.
    ///
    /// - Parameter tree: the names below the entry; the entry itself may already be removed.
    /// - Returns: no lines if the request does not select this name.
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
            attributes: self.attributes(of: entry, below: below),
            delimiter: Namespace.delimiter,
            mailbox: mailbox
        )
        // CHILDINFO (RFC 5258 §3.5).
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

    /// The attributes for the client: forwarded ones, `\Subscribed`, and whether there are visible children.
    private func attributes(of entry: FolderTree.Entry, below: FolderTree.Below) -> [ByteBuffer] {
        var attributes: [ByteBuffer]
        if entry.isParentOnly {
            attributes = [ByteBuffer(string: "\\NonExistent"), ByteBuffer(string: "\\Noselect")]
        } else {
            attributes = entry.attributes.filter {
                Self.passes($0, isPersonal: entry.isPersonal)
            }
        }
        if self.isLsub {
            // In LSUB, \Noselect means that the name itself is not subscribed (RFC 3501 §6.3.9).
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
        // Clients descend only where LSUB reports children, so names that are only subscribed count as children too.
        let hasChildren = below.contains(.folder) || self.isLsub && below.contains(.selected)
        attributes.append(ByteBuffer(string: hasChildren ? "\\HasChildren" : "\\HasNoChildren"))
        return attributes
    }

    /// Whether to omit a name, because it is `Other Users` or `Shared` and all names below it are listed too.
    /// Thunderbird would show it as a mailbox. A client that descends level by level uses `%` and still gets the name.
    private func isOmittedRoot(_ entry: FolderTree.Entry) -> Bool {
        guard entry.isParentOnly, Namespace.isRoot(entry.name) else { return false }
        return self.patterns.allSatisfy {
            !$0.matches(entry.name) || $0.matchesAllBelow(entry.name)
        }
    }
}
