package import struct NIOCore.ByteBuffer

/// The numbers in `* SEARCH 2 84 882` or `* SORT 882 2 84`, from which the gateway computes the
/// result options of RETURN if a server lacks ESEARCH (RFC 4731 §3.1) or ESORT (RFC 5267 §3).
package struct SearchResults: Equatable, Sendable {
    /// The most runs of consecutive numbers, at eight octets each. Only a SEARCH in at least
    /// 250,000 messages can have so many. Without a limit a server could fill the memory; sorting
    /// and writing this number takes about 20 milliseconds.
    package static let maximumRuns = 128 * 1_024

    /// The octets of `(MODSEQ 9223372036854775807)`, with some reserve.
    private static let maximumTailOctets = 64

    private struct Run: Equatable {
        var first: UInt32
        var last: UInt32

        var count: UInt64 { UInt64(self.last) - UInt64(self.first) + 1 }
    }

    private enum State: Equatable {
        case betweenNumbers
        case number(UInt64)
        /// The start of `(MODSEQ 5)` (RFC 7162 §3.1.5), as far as it has arrived.
        case tail(ByteBuffer)
    }

    /// Whether the order of the numbers is kept, as for SORT.
    package var keepsOrder = false
    /// Whether there are more runs than the limit.
    package private(set) var isOverLimit = false

    private let returns: [SearchReturn]
    private let isUID: Bool
    private var state = State.betweenNumbers
    private var runs: [Run] = []
    private var modSeq: UInt64?

    /// - Parameters:
    ///   - returns: the result options. An empty list means ALL; duplicates are answered once.
    ///   - isUID: whether the numbers are UIDs.
    package init(_ returns: [SearchReturn], isUID: Bool) {
        var results: [SearchReturn] = []
        for option in returns where !results.contains(option) {
            if option != .context, option != .save, !option.isUpdate { results.append(option) }
        }
        self.returns = results.isEmpty ? [.all] : results
        self.isUID = isUID
    }

    // MARK: - Parsing

    /// Parses a piece of a response, which may end within a number.
    ///
    ///     mailbox-data =/ "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]
    ///     sort-data = "SORT" *(SP nz-number) [SP search-sort-mod-seq]
    ///
    /// - Parameter isFirst: whether the piece starts the response.
    /// - Throws: `SyntaxError` for invalid numbers.
    package mutating func add(_ piece: ByteBuffer, isFirst: Bool) throws(SyntaxError) {
        var octets = piece.readableBytesView[...]
        if isFirst { octets = octets.drop { !$0.isLetter }.drop(while: \.isLetter) }
        for octet in octets { try self.add(octet) }
    }

    private mutating func add(_ octet: UInt8) throws(SyntaxError) {
        switch (self.state, octet) {
        case (.tail(var tail), _) where octet != 0x0D:
            guard tail.readableBytes < Self.maximumTailOctets else {
                throw SyntaxError(.lineTooLong, at: tail.readableBytes)
            }
            tail.writeInteger(octet)
            self.state = .tail(tail)
        case (.betweenNumbers, UInt8(ascii: "(")):
            self.state = .tail(ByteBuffer(bytes: [octet]))
        case (.betweenNumbers, let digit) where digit.isDigit:
            self.state = .number(UInt64(digit - UInt8(ascii: "0")))
        case (.number(let value), let digit) where digit.isDigit:
            let longer = value * 10 + UInt64(digit - UInt8(ascii: "0"))
            guard longer <= UInt64(UInt32.max) else { throw SyntaxError(.malformedNumber, at: 0) }
            self.state = .number(longer)
        case (_, UInt8(ascii: " ")), (_, 0x0D), (_, 0x0A):
            try self.endItem()
        default:
            throw SyntaxError(.malformedNumber, at: 0)
        }
    }

    private mutating func endItem() throws(SyntaxError) {
        let state = self.state
        self.state = .betweenNumbers
        switch state {
        case .betweenNumbers:
            break
        case .number(let value):
            guard value > 0, let number = UInt32(exactly: value) else {
                throw SyntaxError(.malformedNumber, at: 0)
            }
            self.add(number: number)
        case .tail(let tail):
            var cursor = Cursor(tail)
            guard cursor.take(word: "(MODSEQ ") else { throw cursor.error(.expected("MODSEQ")) }
            self.modSeq = try cursor.number64()
            try cursor.expect(")")
            try cursor.expectEnd()
        }
    }

    private mutating func add(number: UInt32) {
        if let last = self.runs.last?.last, last < .max, last + 1 == number {
            self.runs[self.runs.count - 1].last = number
            return
        }
        guard self.runs.count < Self.maximumRuns else {
            self.isOverLimit = true
            return
        }
        self.runs.append(Run(first: number, last: number))
    }

    // MARK: - Encoding

    /// The ESEARCH response: `* ESEARCH (TAG "a3") UID MIN 4 COUNT 2`.
    ///
    ///     esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    ///
    /// - Parameter tag: the tag of the client's command.
    package func response(tag: ByteBuffer) -> ByteBuffer {
        let runs = self.keepsOrder ? self.runs : Self.sorted(self.runs)
        var line = Reply.esearchHead(tag: tag)
        if self.isUID { line.writeStaticString(" UID") }
        for option in self.returns { Self.write(option, runs: runs, into: &line) }
        // MODSEQ is the value for all found messages, not for the first or last one.
        if let modSeq, !runs.isEmpty, self.returns.contains(.all) || self.returns.contains(.count) {
            line.writeString(" MODSEQ \(modSeq)")
        }
        line.writeStaticString("\r\n")
        return line
    }

    private static func write(_ option: SearchReturn, runs: [Run], into line: inout ByteBuffer) {
        switch option {
        case .min:
            if let first = runs.first?.first { line.writeString(" MIN \(first)") }
        case .max:
            if let last = runs.last?.last { line.writeString(" MAX \(last)") }
        case .all:
            guard !runs.isEmpty else { return }
            line.writeStaticString(" ALL ")
            self.write(runs, into: &line)
        case .count:
            line.writeString(" COUNT \(runs.reduce(0) { $0 + $1.count })")
        case .partial(let first, let last):
            line.writeString(" PARTIAL (\(first):\(last) ")
            let slice = self.slice(of: runs, at: min(first, last)...max(first, last))
            if slice.isEmpty { line.writeStaticString("NIL") }
            self.write(slice, into: &line)
            line.writeStaticString(")")
        case .save, .context, .update:
            break
        }
    }

    private static func write(_ runs: [Run], into line: inout ByteBuffer) {
        for (index, run) in runs.enumerated() {
            if index > 0 { line.writeStaticString(",") }
            line.writeString(run.first == run.last ? "\(run.first)" : "\(run.first):\(run.last)")
        }
    }

    /// - Parameter places: positions in the result, counted from 1.
    private static func slice(of runs: [Run], at places: ClosedRange<UInt32>) -> [Run] {
        var slice: [Run] = []
        var before: UInt64 = 0
        for run in runs {
            let first = max(UInt64(places.lowerBound), before + 1)
            let last = min(UInt64(places.upperBound), before + run.count)
            if first <= last {
                let start = run.first + UInt32(first - before - 1)
                slice.append(Run(first: start, last: start + UInt32(last - first)))
            }
            before += run.count
        }
        return slice
    }

    /// The runs in ascending order without duplicates: servers may send numbers in any order,
    /// repeatedly.
    private static func sorted(_ runs: [Run]) -> [Run] {
        let isSorted = zip(runs, runs.dropFirst()).allSatisfy { $0.last < $1.first }
        guard !isSorted else { return runs }
        return runs.sorted { $0.first < $1.first }.reduce(into: []) { merged, run in
            guard let last = merged.last, run.first <= last.last || last.last + 1 == run.first
            else { return merged.append(run) }
            merged[merged.count - 1].last = max(last.last, run.last)
        }
    }
}
