import Access
import IMAP

/// Messages of one APPEND that are stored one by one, because the server has no MULTIAPPEND (RFC 3502).
struct AppendSeries {
    /// Messages that the server has stored.
    private(set) var count = 0
    private var uidValidity: UInt32?
    private var ranges: [SequenceSet.Range] = []
    /// Whether the server told the UID of each message.
    private var isComplete = true

    /// The server has stored another message.
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

    private mutating func add(_ range: SequenceSet.Range) {
        guard let last = self.ranges.last?.last, last < .max, range.first == last + 1 else {
            return self.ranges.append(range)
        }
        self.ranges[self.ranges.count - 1].last = range.last
    }

    /// `APPENDUID` of all messages; nil where the server did not tell each UID.
    var code: ResponseCode? {
        guard self.isComplete, let validity = self.uidValidity else { return nil }
        return .appendUID(validity, SequenceSet(ranges: self.ranges))
    }

    /// The answer where a message is not stored: who sends all of them again has to know that some are there.
    func answer(_ text: ReplyText, code: ResponseCode?) -> ReplyText {
        self.count == 0 ? text : .partlyStored(self.count, code?.forClient)
    }
}
