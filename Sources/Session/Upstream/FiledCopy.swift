package import struct NIOCore.ByteBuffer

/// A copy of a sent message that the gateway stored, as the server's APPENDUID identifies it (RFC 4315 §3).
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
