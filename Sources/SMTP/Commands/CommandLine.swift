package import struct NIOCore.ByteBuffer

/// Cuts command lines out of what a client sends.
package enum CommandLine {
    /// RFC 5321 §4.5.3.1.4 has 512, extensions add some hundreds; an AUTH line may have 12288
    /// (RFC 4954 §4), of which a password needs a fraction.
    package static let maximumOctets = 4_096

    /// The next line.
    ///
    /// - Returns: the line without its end, or nil while it is not whole.
    /// - Throws: `lineTooLong`, after which the input makes no sense any more; `bareLineEnd` for a
    ///   line, then consumed, that ends otherwise than with CR LF or has a CR or a NUL in it.
    package static func next(
        _ input: inout ByteBuffer
    ) throws(SubmissionError) -> [UInt8]? {
        guard let end = input.readableBytesView.firstIndex(of: .lineFeed) else {
            guard input.readableBytes <= self.maximumOctets else { throw .lineTooLong }
            return nil
        }
        let length = end - input.readerIndex
        guard length < self.maximumOctets else { throw .lineTooLong }
        let line = input.readBytes(length: length + 1) ?? []
        guard line.dropLast().last == .carriageReturn,
            !line.dropLast(2).contains(where: { $0 == .carriageReturn || $0 == 0 })
        else { throw .bareLineEnd }
        return line.dropLast(2)
    }
}
