import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The parameters of a transfer: the messages, the source, the target, and whether the messages are moved.
struct TransferPlan {
    /// The tag of the client's command.
    let tag: ByteBuffer
    /// Whether the command is MOVE (RFC 6851).
    let moves: Bool
    /// The client's COPY or MOVE with its sequence set.
    let copy: Copy
    let source: AccountID
    let sourceFolder: FolderPath
    /// UIDVALIDITY of the source; 0 if its server has no persistent UIDs.
    let sourceValidity: UInt32
    let target: AccountID
    let targetFolder: FolderPath
    /// The target mailbox's name on its server.
    let targetName: ByteBuffer
    /// Whether the user may create the target mailbox, so that a refusal has TRYCREATE.
    let mayCreate: Bool

    init(
        tag: ByteBuffer,
        moves: Bool,
        copy: Copy,
        from selected: SelectedMailbox,
        to target: AccountID,
        folder: FolderPath,
        name: ByteBuffer,
        mayCreate: Bool
    ) {
        self.tag = tag
        self.moves = moves
        self.copy = copy
        self.source = selected.account
        self.sourceFolder = selected.folder
        self.sourceValidity = selected.uidValidity ?? 0
        self.target = target
        self.targetFolder = folder
        self.targetName = name
        self.mayCreate = mayCreate
    }

    /// Whether source and target are in one account, so that its server copies the messages itself.
    var isLocal: Bool { self.source == self.target }

    /// Whether an account is the source or the target.
    func involves(_ account: AccountID) -> Bool {
        account == self.source || account == self.target
    }
}
