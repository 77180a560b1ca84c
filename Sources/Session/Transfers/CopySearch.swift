import Access

/// Which messages of the target are the copies of an APPEND whose answer is missing.
///
/// A message is one only if it has the octets that were sent, by their digest, and the date that was
/// sent with them. Where anything is left to guess, nothing is named and ``isConclusive`` is false.
struct CopySearch: Equatable, Sendable {
    /// Messages beyond the number of those sent that are looked at: somebody who puts look-alikes into
    /// the mailbox must not have the gateway fetch all of them.
    private static let maximumOthers = 8

    private let wanted: [Transfer.Message]
    /// UIDs that the journal has for other copies.
    private let known: Set<UInt32>
    private let sizes: Set<UInt64>
    private let dates: Set<Int64>
    /// Dates of new messages of a size that was sent.
    private var candidates: [UInt32: Int64] = [:]
    /// What has the octets and the date of one that was sent.
    private var matches: [Identity: [UInt32]] = [:]
    /// Whether nothing that is there could be a copy, except what is named.
    private(set) var isConclusive = true

    private struct Identity: Hashable {
        var date: Int64
        var digest: MessageDigest
    }

    init(wanted: [Transfer.Message], known: Set<UInt32>) {
        self.wanted = wanted
        self.known = known
        self.sizes = Set(wanted.map(\.octets))
        self.dates = Set(wanted.map(\.date))
    }

    /// A message that came after the transfer began.
    mutating func listed(uid: UInt32, size: UInt64, date: Int64) {
        guard !self.known.contains(uid) else { return }
        if self.sizes.contains(size) {
            guard self.candidates.count < self.wanted.count + Self.maximumOthers else {
                self.isConclusive = false
                return
            }
            self.candidates[uid] = date
        } else if self.dates.contains(date) {
            // Some servers store a message in their own words.
            self.isConclusive = false
        }
    }

    /// Messages whose octets have to be looked at.
    var uids: [UInt32] { self.candidates.keys.sorted() }

    /// - Parameter digest: nil where the message is not there any more.
    mutating func looked(at uid: UInt32, _ digest: MessageDigest?) {
        guard let date = self.candidates[uid], let digest else { return }
        let identity = Identity(date: date, digest: digest)
        if self.wanted.contains(where: { $0.date == date && $0.digest == digest }) {
            self.matches[identity, default: []].append(uid)
        } else if self.dates.contains(date) || self.wanted.contains(where: { $0.digest == digest })
        {
            self.isConclusive = false
        }
    }

    /// The copies by the UIDs of their originals. More than were sent alike are none: nobody knows
    /// which of them came otherwise.
    mutating func found() -> [UInt32: UInt32] {
        var found: [UInt32: UInt32] = [:]
        let sent = Dictionary(grouping: self.wanted) { Identity(date: $0.date, digest: $0.digest) }
        for (identity, uids) in self.matches {
            guard let messages = sent[identity], uids.count <= messages.count else {
                self.isConclusive = false
                continue
            }
            for (message, uid) in zip(messages, uids) { found[message.source] = uid }
        }
        return found
    }
}
