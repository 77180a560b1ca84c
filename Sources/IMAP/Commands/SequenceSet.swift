package import struct NIOCore.ByteBuffer

/// A set of message numbers or UIDs as ranges: `2,4:7,12:*`; or `$`, the saved search result.
package struct SequenceSet: Equatable, Sendable {
    /// A range. If both ends are numbers, the lower one is first; nil means `*`.
    package struct Range: Equatable, Sendable {
        // 0 means `*`. A command may have thousands of ranges, and an optional takes twice the
        // memory.
        private var lower: UInt32
        private var upper: UInt32

        package init(first: UInt32?, last: UInt32?) {
            self.lower = first ?? 0
            self.upper = last ?? 0
        }

        package var first: UInt32? { self.lower == 0 ? nil : self.lower }
        package var last: UInt32? {
            get { self.upper == 0 ? nil : self.upper }
            set { self.upper = newValue ?? 0 }
        }
    }

    /// The most ranges: clients list 20,000 changed messages one by one in a command. With eight
    /// octets for each range, a larger set takes more memory than its line.
    package static let maximumRanges = 50_000
    /// The most ranges that are sent unchanged. A larger set is sent with joined ranges, because
    /// servers limit lines.
    private static let maximumRangesAsSent = 1_000

    /// The ranges in the client's order; empty for `$`.
    package var ranges: [Range]
    /// Whether the set is `$`, the saved result (RFC 5182 §2.1).
    package var isSavedResult: Bool { self.ranges.isEmpty }

    package init(ranges: [Range]) {
        self.ranges = ranges
    }

    /// The numbers in this order; consecutive numbers form a range.
    package init(uids: some Sequence<UInt32>) {
        var ranges: [Range] = []
        for uid in uids {
            if let last = ranges.last?.last, last < .max, last + 1 == uid {
                ranges[ranges.count - 1].last = uid
            } else {
                ranges.append(Range(first: uid, last: uid))
            }
        }
        self.ranges = ranges
    }

    /// The same numbers in the same order, with adjacent ranges joined.
    fileprivate var joined: SequenceSet {
        guard self.ranges.count > Self.maximumRangesAsSent else { return self }
        var joined: [Range] = []
        for range in self.ranges {
            if let last = joined.last?.last, joined.last?.first != nil, last < .max,
                range.first == last + 1, range.last != nil
            {
                joined[joined.count - 1].last = range.last
            } else {
                joined.append(range)
            }
        }
        return SequenceSet(ranges: joined)
    }

    /// All numbers from `first` on: `8:*`.
    package init(from first: UInt32) {
        self.ranges = [Range(first: first, last: nil)]
    }

    /// The most ranges of one command: every server accepts lines of 8,000 octets (RFC 7162 §4).
    private static let rangesPerCommand = 350

    /// Splits the numbers into sets that fit one command each.
    package static func batches(of uids: [UInt32]) -> [SequenceSet] {
        let ranges = SequenceSet(uids: uids).ranges
        return stride(from: 0, to: ranges.count, by: Self.rangesPerCommand).map { start in
            SequenceSet(
                ranges: Array(ranges[start..<min(start + Self.rangesPerCommand, ranges.count)])
            )
        }
    }

    /// The numbers in order; nil if they exceed the limit or the set contains `*`.
    package func members(atMost limit: Int) -> [UInt32]? {
        var members: [UInt32] = []
        for range in self.ranges {
            guard let first = range.first, let last = range.last, first <= last,
                members.count + Int(last - first) < limit
            else { return nil }
            members += first...last
        }
        return members
    }

    /// Whether the set contains a number for certain. Without the mailbox the value of a single `*`
    /// and of `$` is unknown.
    package func surelyContains(_ number: UInt32) -> Bool {
        self.ranges.contains { range in
            guard let first = range.first, number >= first else { return false }
            return range.last.map { number <= $0 } ?? true
        }
    }

    /// Encodes the set.
    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(raw: self.text)
    }

    /// The set on the wire.
    package var text: ByteBuffer {
        var text = ByteBuffer()
        if self.isSavedResult { text.writeInteger(UInt8(ascii: "$")) }
        for (index, range) in self.ranges.enumerated() {
            if index > 0 { text.writeInteger(UInt8(ascii: ",")) }
            Self.write(range.first, into: &text)
            guard range.first != range.last else { continue }
            text.writeInteger(UInt8(ascii: ":"))
            Self.write(range.last, into: &text)
        }
        return text
    }

    private static func write(_ number: UInt32?, into text: inout ByteBuffer) {
        if let number {
            text.writeString(String(number))
        } else {
            text.writeInteger(UInt8(ascii: "*"))
        }
    }
}

extension Cursor {
    ///     sequence-set = (seq-number / seq-range) ["," sequence-set]
    ///     sequence-set =/ seq-last-command
    package mutating func sequenceSet() throws(SyntaxError) -> SequenceSet {
        if self.take("$") { return SequenceSet(ranges: []) }
        var ranges: [SequenceSet.Range] = []
        repeat {
            guard ranges.count < SequenceSet.maximumRanges else {
                throw self.error(.commandTooLarge)
            }
            let first = try self.sequenceNumber()
            let last = self.take(":") ? try self.sequenceNumber() : first
            if let one = first, let other = last {
                ranges.append(SequenceSet.Range(first: min(one, other), last: max(one, other)))
            } else if first == nil, last != nil {
                ranges.append(SequenceSet.Range(first: last, last: nil))
            } else {
                ranges.append(SequenceSet.Range(first: first, last: last))
            }
        } while self.take(",")
        return SequenceSet(ranges: ranges).joined
    }

    ///     seq-number = nz-number / "*"
    private mutating func sequenceNumber() throws(SyntaxError) -> UInt32? {
        if self.take("*") { return nil }
        return try self.nonZeroNumber()
    }

    ///     nz-number = digit-nz *DIGIT
    package mutating func nonZeroNumber() throws(SyntaxError) -> UInt32 {
        guard let octet = self.peek(), octet != UInt8(ascii: "0") else {
            throw self.error(.malformedNumber)
        }
        return try self.number()
    }
}
