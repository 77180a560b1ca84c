import Access

import struct NIOCore.ByteBuffer

/// How far a transfer is: the message that passes, and what the target has confirmed.
struct TransferProgress {
    /// The place in the listing of the message that passes.
    var index = 0
    /// A message that the source sent as a quoted string, until the target asks for it.
    var quoted: ByteBuffer?
    /// Messages of the present APPEND whose octets the target has got.
    var sending: [Transfer.Message] = []
    /// Of the message that passes.
    var hasher = MessageHasher()
    /// Those whose command the target has confirmed, and what they are there.
    var confirmed: [UInt32] = []
    var copies: [UInt32]? = []
    /// UIDs that APPENDUID has named.
    var named: Set<UInt32> = []
    /// Whether a command at the target is complete except for its last line end.
    var isAppendOpen = false
    /// Whether the target could have stored something that it has not confirmed.
    var isInDoubt = false
    /// Whether COPYUID names messages that were not to be copied: nobody knows which were.
    var isCopyDoubtful = false

    /// UIDs at the source of what the present APPEND holds.
    var sent: [UInt32] { self.sending.map(\.source) }
}
