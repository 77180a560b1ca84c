package import struct NIOCore.ByteBuffer

/// The command lines in a client's octets.
package enum CommandLine {
    /// The longest line with its end, in octets. RFC 5321 §4.5.3.1.4 has 512, and extensions add
    /// some hundreds. An AUTH line may have 12,288 (RFC 4954 §4), of which a password needs a
    /// fraction.
    package static let maximumOctets = 4_096
    /// The longest line with its end while a client may send an access token, in octets.
    package static let maximumTokenOctets = 12_288 + 512

    /// The most octets of a line that are discarded to find its end. They are not kept, but without
    /// a limit one line would never end.
    package static let maximumDiscardedOctets = 1_024 * 1_024

    /// Reads the next line.
    ///
    /// - Parameters:
    ///   - discarded: the octets of an overlong line that were discarded. Pass the same variable to
    ///     each call, initially 0.
    ///   - limit: the longest line with its end, in octets.
    /// - Returns: the line without its end; nil while it is incomplete.
    /// - Throws: `lineTooLong` for a complete line that is too long; `endlessLine` for one that
    ///   does not end; `bareLineEnd` for one that does not end with CR LF, or contains a CR or a
    ///   NUL among the octets that were not discarded. The line is consumed, except after
    ///   `endlessLine`.
    package static func next(
        _ input: inout ByteBuffer,
        discarded: inout Int,
        limit: Int = Self.maximumOctets
    ) throws(SubmissionError) -> [UInt8]? {
        guard let end = input.readableBytesView.firstIndex(of: .lineFeed) else {
            guard discarded > 0 || input.readableBytes > limit else { return nil }
            // The last octet stays, because it may be the CR of the line end.
            discarded += input.readableBytes - 1
            input = ByteBuffer(bytes: input.readableBytesView.suffix(1))
            guard discarded <= self.maximumDiscardedOctets else { throw .endlessLine }
            return nil
        }
        let length = end - input.readerIndex
        guard discarded == 0, length < limit else {
            let isEndless = discarded + length > self.maximumDiscardedOctets
            let line = input.readBytes(length: length + 1) ?? []
            discarded = 0
            guard !isEndless else { throw .endlessLine }
            throw self.endsProperly(line) ? .lineTooLong : .bareLineEnd
        }
        guard length > 0, let line = input.readBytes(length: length - 1),
            let lineEnd: UInt16 = input.readInteger(), lineEnd == 0x0D0A,
            !line.contains(where: { $0 == .carriageReturn || $0 == 0 })
        else {
            input.moveReaderIndex(to: end + 1)
            throw .bareLineEnd
        }
        return line
    }

    /// Whether a line ends with CR LF and has no other CR and no NUL.
    private static func endsProperly(_ line: [UInt8]) -> Bool {
        line.dropLast().last == .carriageReturn
            && !line.dropLast(2).contains { $0 == .carriageReturn || $0 == 0 }
    }
}
