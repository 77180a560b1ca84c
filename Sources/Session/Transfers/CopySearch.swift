import Access

/// Identifies the copies that an APPEND stored in the target mailbox when its tagged response was lost.
///
/// A message counts as a copy only if its digest and its internal date both equal those of a message that was
/// sent. A case that stays ambiguous names no copy and sets ``isConclusive`` to false.
///
/// Use: call ``listed(uid:size:date:)`` for each new message, fetch the messages in ``uids``, call
/// ``looked(at:_:)`` for each of them, then call ``found()``.
struct CopySearch: Equatable, Sendable {
    /// Messages that are fetched beyond the number that was sent. Without this limit, a person who stores
    /// many messages of the same size in the mailbox could make the gateway fetch all of them.
    private static let maximumOthers = 8

    private let wanted: [Transfer.Message]
    /// UIDs in the target that the journal already records as copies.
    private let known: Set<UInt32>
    /// Sizes of the messages that were sent, in octets.
    private let sizes: Set<UInt64>
    /// Internal dates of the messages that were sent, in seconds since 1970.
    private let dates: Set<Int64>
    /// Internal dates, by UID, of new messages whose size equals one that was sent.
    private var candidates: [UInt32: Int64] = [:]
    /// UIDs of the messages that have the date and digest of a message that was sent.
    private var matches: [Identity: [UInt32]] = [:]
    /// Whether every message in the target that could be a copy is in the result of ``found()``.
    private(set) var isConclusive = true

    /// The pair that makes a message in the target a copy of one that was sent.
    private struct Identity: Hashable {
        var date: Int64
        var digest: MessageDigest
    }

    /// - Parameters:
    ///   - wanted: the messages that were sent.
    ///   - known: UIDs in the target that the journal already records as copies; they are skipped.
    init(wanted: [Transfer.Message], known: Set<UInt32>) {
        self.wanted = wanted
        self.known = known
        self.sizes = Set(wanted.map(\.octets))
        self.dates = Set(wanted.map(\.date))
    }

    /// Takes a message that the target stored after the transfer began.
    ///
    /// - Parameters:
    ///   - size: RFC822.SIZE, in octets.
    ///   - date: INTERNALDATE, in seconds since 1970.
    mutating func listed(uid: UInt32, size: UInt64, date: Int64) {
        guard !self.known.contains(uid) else { return }
        if self.sizes.contains(size) {
            guard self.candidates.count < self.wanted.count + Self.maximumOthers else {
                self.isConclusive = false
                return
            }
            self.candidates[uid] = date
        } else if self.dates.contains(date) {
            // Some servers change a message when they store it, so its size differs.
            self.isConclusive = false
        }
    }

    /// UIDs of the messages whose octets must be fetched.
    var uids: [UInt32] { self.candidates.keys.sorted() }

    /// Takes the digest of a fetched message.
    ///
    /// - Parameter digest: nil if the message no longer exists.
    mutating func looked(at uid: UInt32, digest: MessageDigest?) {
        guard let date = self.candidates[uid], let digest else { return }
        let identity = Identity(date: date, digest: digest)
        if self.wanted.contains(where: { $0.date == date && $0.digest == digest }) {
            self.matches[identity, default: []].append(uid)
        } else if self.dates.contains(date) || self.wanted.contains(where: { $0.digest == digest })
        {
            self.isConclusive = false
        }
    }

    /// UIDs of the copies, by the UIDs of their originals.
    ///
    /// If the target has more messages with one date and digest than were sent, none of them is named: the
    /// gateway cannot tell which of them another client stored.
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
