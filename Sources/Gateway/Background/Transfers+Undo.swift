import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Recovery of interrupted transfers. If the target has confirmed all copies, the originals are
/// removed; otherwise the copies are removed.
///
/// A copy is removed only by a UID that the journal has. The UID comes from APPENDUID (RFC 4315).
/// For the one APPEND whose response is missing, it is the UID of the message with the octets and
/// the date that were sent; the journal records that UID before the copy is removed. The process
/// may end after each step: the next start continues with what the journal has.
extension Transfers {
    /// A transfer that is being recovered.
    struct Interrupted: Sendable {
        /// The number of the journal entry.
        let entry: Int64
        /// What the session knows about the transfer; nil for a transfer that an earlier run left.
        let interruptedState: InterruptedTransferState?
        let loop: any EventLoop
        /// Attempts that found a server unusable.
        var attempt = 0
        /// Looks at the target that found copies missing.
        var looks = 0
        /// Whether only the deletion of the entry is left; it may have succeeded.
        var hasEnded = false
        /// Copies that stay, as far as is known, because nothing proves which messages they are.
        var left = 0
        /// Called once, after the first attempt.
        var answer: (@Sendable (TransferResolution) -> Void)?

        init(
            entry: Int64,
            interruptedState: InterruptedTransferState?,
            loop: any EventLoop,
            answer: (@Sendable (TransferResolution) -> Void)? = nil
        ) {
            self.entry = entry
            self.interruptedState = interruptedState
            self.loop = loop
            self.answer = answer
        }

        /// Answers the session, once.
        mutating func tell(_ resolution: TransferResolution) {
            self.answer?(resolution)
            self.answer = nil
        }
    }

    /// Records the transfer's state in the journal and begins the recovery.
    func resolve(_ interrupted: Interrupted) {
        let entry = interrupted.entry
        let known = interrupted.interruptedState?.state
        var end: AppendOutcome?
        if case .begun(let last)? = interrupted.interruptedState { end = last }
        let read: @Sendable (PermissionStore) throws -> JournalEntry = { [end] store in
            let found = try store.journalEntry(entry)
            guard case .own = found, let known else { return found }
            try store.setTransfer(entry, state: known, last: end)
            return try store.journalEntry(entry)
        }
        self.write(read, on: interrupted.loop) { found in
            switch found {
            case nil: self.tryLater(interrupted)
            case .missing: if !interrupted.hasEnded { self.isLost(interrupted) }
            case .takenOver: self.isTakenOver(interrupted)
            case .own(let transfer): self.inspect(interrupted, transfer: transfer)
            }
        }
    }

    /// Another node took the entry over while this one was paused, or cut off from the database.
    /// It undoes or completes the transfer.
    private func isTakenOver(_ interrupted: Interrupted) {
        self.logger.notice(
            "another node took an interrupted transfer over",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        var interrupted = interrupted
        interrupted.tell(.postponed)
    }

    /// The journal has no such entry: the store was restored from before the transfer. Nothing says
    /// what may be removed.
    private func isLost(_ interrupted: Interrupted) {
        self.logger.warning(
            "the journal has no entry of an interrupted transfer, which may have left copies",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        var interrupted = interrupted
        interrupted.tell(.remains)
    }

    /// Finds out which originals exist, and removes them if all copies are confirmed.
    private func inspect(_ interrupted: Interrupted, transfer: Transfer) {
        let isCopied = transfer.state == .copied
        guard isCopied || transfer.recordsCopies else {
            // An earlier version did not record what it sent.
            return self.remains(interrupted, transfer: transfer, messages: transfer.uids.count)
        }
        guard isCopied || !transfer.copies.isEmpty else {
            return self.finished(interrupted, resolution: .undone)
        }
        let purpose = isCopied ? TransferRecovery.Purpose.complete : .identify
        self.converse(purpose, transfer: transfer, mailbox: transfer.source, on: interrupted.loop) {
            outcome in
            switch outcome {
            case .present(let uids):
                self.look(interrupted, transfer: transfer, originals: uids)
            case .done, .cannotRemove:
                self.finished(interrupted, resolution: isCopied ? .completed : .undone)
            case .gone:
                // The source folder is gone: no message can be lost, or exist twice.
                self.finished(interrupted, resolution: isCopied ? .completed : .remains)
            case .unlisted:
                self.remains(interrupted, transfer: transfer, messages: transfer.uids.count)
            case .found, .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    /// Finds the copy of the APPEND whose response is missing.
    private func look(
        _ interrupted: Interrupted,
        transfer: Transfer,
        originals: Set<UInt32>
    ) {
        let copies = transfer.copies.filter { originals.contains($0.message.source) }
        let open = copies.filter { !$0.isStored }.map(\.message)
        let uids = copies.compactMap(\.uid)
        var known = interrupted
        known.left = copies.count { $0.isStored && $0.uid == nil }
        if transfer.isContested { known.left += open.count }
        guard !open.isEmpty, !transfer.isContested else {
            return self.remove(known, transfer: transfer, uids: uids, missing: 0)
        }
        self.converse(.find(open), transfer: transfer, mailbox: transfer.target, on: known.loop) {
            [known] outcome in
            switch outcome {
            case .found(let found, let isConclusive):
                var next = known
                let missing = open.count - found.count
                if !isConclusive { next.left += missing }
                self.record(next, transfer: transfer, found: found, uids: uids, missing: missing)
            case .gone:
                self.finished(known, resolution: .undone)
            case .unlisted:
                self.remains(
                    known,
                    transfer: transfer,
                    messages: known.left + uids.count + open.count
                )
            case .present, .done, .cannotRemove, .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    /// Records found copies in the journal before they are removed.
    private func record(
        _ interrupted: Interrupted,
        transfer: Transfer,
        found: [UInt32: UInt32],
        uids: [UInt32],
        missing: Int
    ) {
        let all = uids + found.values
        guard !found.isEmpty else {
            return self.remove(interrupted, transfer: transfer, uids: all, missing: missing)
        }
        self.write(
            { try $0.recordFound(found, of: interrupted.entry) },
            on: interrupted.loop,
            answer: { written in
                guard written != nil else { return self.tryLater(interrupted) }
                self.remove(interrupted, transfer: transfer, uids: all, missing: missing)
            }
        )
    }

    /// Removes the copies.
    /// - Parameter missing: copies that the target may still be storing.
    private func remove(
        _ interrupted: Interrupted,
        transfer: Transfer,
        uids: [UInt32],
        missing: Int
    ) {
        guard !uids.isEmpty else {
            return self.removed(interrupted, transfer: transfer, missing: missing)
        }
        self.converse(
            .undo(uids),
            transfer: transfer,
            mailbox: transfer.target,
            on: interrupted.loop
        ) { outcome in
            switch outcome {
            case .done:
                self.removed(interrupted, transfer: transfer, missing: missing)
            case .gone:
                self.finished(interrupted, resolution: .undone)
            case .unlisted, .cannotRemove:
                let left = interrupted.left + uids.count
                self.remains(interrupted, transfer: transfer, messages: left)
            case .present, .found, .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    /// The copies are removed; looks again if more may follow.
    private func removed(_ interrupted: Interrupted, transfer: Transfer, missing: Int) {
        // The target may still store messages that it has received: they would appear after this look.
        guard missing > 0, interrupted.looks < TransferRecovery.looks else {
            guard interrupted.left == 0 else {
                return self.remains(interrupted, transfer: transfer, messages: interrupted.left)
            }
            return self.finished(interrupted, resolution: .undone)
        }
        var next = interrupted
        next.tell(.postponed)
        next.looks += 1
        next.left = 0
        let time = TransferRecovery.wait(before: next.looks, of: self.settleTime.nanoseconds)
        self.resolve(next, in: .nanoseconds(time))
    }

    /// Runs one step of the recovery at a server.
    /// - Parameter done: receives nil if the server cannot be used or the account is gone.
    private func converse(
        _ purpose: TransferRecovery.Purpose,
        transfer: Transfer,
        mailbox: Transfer.Mailbox,
        on loop: any EventLoop,
        done: @escaping @Sendable (TransferRecovery.Outcome?) -> Void
    ) {
        guard let upstream = self.upstream.withLock({ $0 }),
            let target = upstream.permissions.current.endpoints[mailbox.account]
        else { return done(nil) }
        ConversationConnection.run(
            TransferRecovery(purpose, of: transfer),
            at: ConversationServer(account: target, upstream: upstream),
            on: loop,
            done: done
        )
    }
}
