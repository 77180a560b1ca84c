import Access
import IMAP

/// The results of one client APPEND whose messages are stored by one APPEND each, because the server lacks
/// MULTIAPPEND (RFC 3502).
struct AppendSeries {
    /// The number of messages that the server has stored.
    private(set) var count = 0
    /// UIDVALIDITY of the mailbox, from the first APPENDUID.
    private var uidValidity: UInt32?
    /// UIDs of the stored messages.
    private var ranges: [SequenceSet.Range] = []
    /// Whether the server sent APPENDUID for each message.
    private var isComplete = true

    /// The server has stored another message, and completed the command with this code.
    mutating func stored(_ code: ResponseCode?) {
        self.count += 1
        guard self.isComplete, case .appendUID(let validity, let uids)? = code,
            self.uidValidity == nil || self.uidValidity == validity,
            self.ranges.count < SequenceSet.maximumRanges
        else {
            self.isComplete = false
            self.ranges = []
            return
        }
        self.uidValidity = validity
        for range in uids.ranges { self.add(range) }
    }

    /// Appends UIDs, and joins adjacent ranges.
    private mutating func add(_ range: SequenceSet.Range) {
        guard let last = self.ranges.last?.last, last < .max, range.first == last + 1 else {
            return self.ranges.append(range)
        }
        self.ranges[self.ranges.count - 1].last = range.last
    }

    /// `APPENDUID` of all messages (RFC 4315 §3); nil if a UID is unknown.
    var code: ResponseCode? {
        guard self.isComplete, let validity = self.uidValidity else { return nil }
        return .appendUID(validity, SequenceSet(ranges: self.ranges))
    }

    /// The tagged response if a message was not stored. It names the number of stored messages, so that the user does
    /// not store them twice by a retry.
    func answer(_ text: ReplyText, code: ResponseCode?) -> ReplyText {
        self.count == 0 ? text : .partlyStored(self.count, code?.forClient)
    }
}
