import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A message behind another one in the same APPEND.
struct FurtherMessage {
    var head: AppendHead
    var literal: CommandReader.MessageLiteral
}

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

extension ClientSession {
    /// The octets of a message are all there, and so is its command at the server.
    ///
    /// - Parameter next: the message of the client's command that comes behind it, if there is one.
    mutating func endMessage(of appending: Appending, before next: FurtherMessage?) {
        self.actions.append(.toUpstream(appending.account, ByteBuffer(string: "\r\n")))
        var ended = appending
        ended.step = .waitingForAnswer
        ended.next = next
        self.running = .appending(ended)
    }

    /// The server stored a message, or did not.
    mutating func messageAnswered(
        _ appending: Appending,
        condition: Condition,
        code: ResponseCode?
    ) {
        var appending = appending
        guard condition == .ok else {
            let refusal = self.refusal(condition, code: code)
            guard appending.next == nil else {
                return self.refuseMessage(of: appending, text: refusal, code: code)
            }
            return self.finish(appending.tag, text: appending.series.answer(refusal, code: code))
        }
        appending.series.stored(code)
        guard let next = appending.next else {
            let shown = appending.series.count == 1 ? code : appending.series.code
            let mayRead = self.rights(in: appending.folder, of: appending.account).contains(.read)
            return self.finish(
                appending.tag,
                text: .completed("APPEND", mayRead ? shown?.forClient : nil)
            )
        }
        appending.next = nil
        appending.head.flags = next.head.flags
        appending.head.date = next.head.date
        appending.literal = next.literal
        appending.step = .waitingForUpstream
        self.appendUpstreamReady(appending)
    }
}
