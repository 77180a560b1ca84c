import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What a transfer was asked to do: which messages move or are copied, from where to where.
struct TransferPlan {
    let tag: ByteBuffer
    let moves: Bool
    let copy: Copy
    let source: AccountID
    let sourceFolder: FolderPath
    let sourceValidity: UInt32
    let target: AccountID
    let targetFolder: FolderPath
    let targetName: ByteBuffer
    let mayCreate: Bool

    init(
        tag: ByteBuffer,
        moves: Bool,
        copy: Copy,
        from selected: SelectedMailbox,
        to target: AccountID,
        _ folder: FolderPath,
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

    /// Whether it stays inside one account: its server copies the messages itself.
    var isLocal: Bool { self.source == self.target }

    func involves(_ account: AccountID) -> Bool {
        account == self.source || account == self.target
    }
}
