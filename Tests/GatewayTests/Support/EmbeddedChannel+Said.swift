import NIOCore
import NIOEmbedded

extension EmbeddedChannel {
    /// - Returns: what was written since the last call.
    func said() throws -> String {
        var octets = ByteBuffer()
        while let more = try self.readOutbound(as: ByteBuffer.self) {
            octets.writeImmutableBuffer(more)
        }
        return String(buffer: octets)
    }
}
