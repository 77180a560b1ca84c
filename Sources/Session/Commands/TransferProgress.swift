import Access

import struct NIOCore.ByteBuffer

/// The progress of a transfer: the message that is being streamed, and the messages that the target has stored.
struct TransferProgress {
    /// The index, in the listing, of the message that is being streamed.
    var index = 0
    /// A message that the source sent as a quoted string, until the target asks for it.
    var quoted: ByteBuffer?
    /// Messages of the current APPEND whose octets were sent to the target.
    var sending: [Transfer.Message] = []
    /// Hashes the message that is being streamed.
    var hasher = MessageHasher()
    /// UIDs at the source of the messages that the target has stored, by its tagged OK.
    var confirmed: [UInt32] = []
    /// UIDs of their copies; nil if the target did not report one of them.
    var copies: [UInt32]? = []
    /// UIDs that APPENDUID or COPYUID has reported so far.
    var named: Set<UInt32> = []
    /// Whether an APPEND at the target is incomplete.
    var isAppendOpen = false
    /// Whether the target may have stored messages for which its tagged response is missing.
    var isInDoubt = false
    /// Whether COPYUID named messages that were not to be copied, so that it is unknown which ones were copied.
    var isCopyDoubtful = false

    /// UIDs at the source of the messages in ``sending``.
    var sent: [UInt32] { self.sending.map(\.source) }
}
