package import struct NIOCore.ByteBuffer

/// A copy that the gateway has filed, as the server's own answer names it (RFC 4315 §3).
package struct FiledCopy: Hashable, Sendable {
    /// The folder's name on the server.
    package var folder: ByteBuffer
    package var uidValidity: UInt32
    package var uid: UInt32

    package init(folder: ByteBuffer, uidValidity: UInt32, uid: UInt32) {
        self.folder = folder
        self.uidValidity = uidValidity
        self.uid = uid
    }
}
