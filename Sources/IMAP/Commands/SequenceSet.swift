package import struct NIOCore.ByteBuffer

/// Message numbers or UIDs, kept as ranges: `2,4:7,12:*`, or `$` for the saved result.
package struct SequenceSet: Equatable, Sendable {
    /// The lower end first where both are numbers; nil stands for `*`.
    package struct Range: Equatable, Sendable {
        package var first: UInt32?
        package var last: UInt32?
    }

    /// A client lists changed messages one by one; more than this it sends in several commands.
    package static let maximumRanges = 10_000

    package var ranges: [Range]
    /// Whether the set is `$` (RFC 5182 §2.1).
    package var isSavedResult: Bool { self.ranges.isEmpty }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(raw: self.text)
    }

    /// The set in the grammar's spelling.
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
        return SequenceSet(ranges: ranges)
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
