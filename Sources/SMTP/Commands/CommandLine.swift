package import struct NIOCore.ByteBuffer

/// Cuts command lines out of what a client sends.
package enum CommandLine {
    /// RFC 5321 §4.5.3.1.4 has 512, extensions add some hundreds; an AUTH line may have 12288
    /// (RFC 4954 §4), of which a password needs a fraction.
    package static let maximumOctets = 4_096

    /// Octets of a line that are read away, so that its end is found. Nothing of them is kept;
    /// without a bound one line lasts for ever.
    package static let maximumDiscardedOctets = 1_024 * 1_024

    /// The next line.
    ///
    /// - Parameter discarded: octets of the line that were read away because it is too long; zero
    ///   before the first line, and the same variable for each call.
    /// - Returns: the line without its end, or nil while it is not whole.
    /// - Throws: `lineTooLong` for a line, then consumed, that is longer than a command;
    ///   `endlessLine` for one that does not end; `bareLineEnd` for a line, then consumed, that ends
    ///   otherwise than with CR LF or has a CR or a NUL in it.
    package static func next(
        _ input: inout ByteBuffer,
        discarded: inout Int
    ) throws(SubmissionError) -> [UInt8]? {
        guard let end = input.readableBytesView.firstIndex(of: .lineFeed) else {
            guard discarded > 0 || input.readableBytes > self.maximumOctets else { return nil }
            discarded += input.readableBytes
            input = ByteBuffer()
            guard discarded <= self.maximumDiscardedOctets else { throw .endlessLine }
            return nil
        }
        let length = end - input.readerIndex
        guard discarded == 0, length < self.maximumOctets else {
            let isEndless = discarded + length > self.maximumDiscardedOctets
            input.moveReaderIndex(forwardBy: length + 1)
            discarded = 0
            throw isEndless ? .endlessLine : .lineTooLong
        }
        let line = input.readBytes(length: length + 1) ?? []
        guard line.dropLast().last == .carriageReturn,
            !line.dropLast(2).contains(where: { $0 == .carriageReturn || $0 == 0 })
        else { throw .bareLineEnd }
        return line.dropLast(2)
    }
}
