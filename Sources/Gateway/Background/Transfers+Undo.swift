import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Brings to its end what was interrupted: of a transfer whose target has confirmed everything the
/// originals go; of every other one the copies.
///
/// A copy goes only by the UID that the journal has. That is what APPENDUID said, or, for the one
/// APPEND whose answer is missing, the message that has the octets and the date that were sent; then
/// the journal gets its UID before it goes. Each step may be the last of this process: the next start
/// begins again with what the journal has.
extension Transfers {
    /// A transfer that is being brought to its end.
    struct Interrupted: Sendable {
        let entry: Int64
        /// Nil where only the journal knows: an earlier run left it.
        let standing: TransferStanding?
        let loop: any EventLoop
        /// Tries that found a server which cannot be used.
        var attempt = 0
        /// Looks at the target that found less than everything.
        var looks = 0
        /// Copies that stay, as far as that is known: nothing proves which messages they are.
        var left = 0
        /// Is called once, after the first try.
        var answer: (@Sendable (TransferResolution) -> Void)?

        init(
            entry: Int64,
            standing: TransferStanding?,
            loop: any EventLoop,
            _ answer: (@Sendable (TransferResolution) -> Void)? = nil
        ) {
            self.entry = entry
            self.standing = standing
            self.loop = loop
            self.answer = answer
        }

        mutating func tell(_ resolution: TransferResolution) {
            self.answer?(resolution)
            self.answer = nil
        }
    }

    func resolve(_ interrupted: Interrupted) {
        let entry = interrupted.entry
        let known = interrupted.standing?.state
        var end: AppendOutcome?
        if case .begun(let last)? = interrupted.standing { end = last }
        let read: @Sendable (PermissionStore) throws -> Transfer? = { [end] store in
            guard try store.transfer(entry) != nil else { return nil }
            if let known { try store.setTransfer(entry, state: known, last: end) }
            return try store.transfer(entry)
        }
        self.write(read, on: interrupted.loop) { found in
            // Nil outside: the journal cannot be read; inside: what was sent is not known any more.
            guard let found else { return self.tryLater(interrupted) }
            guard let transfer = found else {
                return self.isLost(interrupted)
            }
            self.inspect(interrupted, transfer: transfer)
        }
    }

    /// The store was put back to a state before the transfer: nothing says what may be removed.
    private func isLost(_ interrupted: Interrupted) {
        self.logger.warning(
            "an interrupted transfer is not in the journal any more, and may have left copies",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        var interrupted = interrupted
        interrupted.tell(.remains)
    }

    private func inspect(_ interrupted: Interrupted, transfer: Transfer) {
        let isCopied = transfer.state == .copied
        guard isCopied || transfer.recordsCopies else {
            // What an earlier version has sent is not known.
            return self.remains(interrupted, transfer: transfer, messages: transfer.uids.count)
        }
        guard isCopied || !transfer.copies.isEmpty else {
            return self.finished(interrupted, resolution: .undone)
        }
        let purpose = isCopied ? TransferRecovery.Purpose.complete : .identify
        self.converse(purpose, transfer: transfer, place: transfer.source, on: interrupted.loop) {
            outcome in
            switch outcome {
            case .present(let uids):
                self.look(interrupted, transfer: transfer, originals: uids)
            case .done, .cannotRemove:
                self.finished(interrupted, resolution: isCopied ? .completed : .undone)
            case .gone:
                // Nothing is at the source that could be lost, or be there twice.
                self.finished(interrupted, resolution: isCopied ? .completed : .remains)
            case .unlisted:
                self.remains(interrupted, transfer: transfer, messages: transfer.uids.count)
            case .found, .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    /// Finds the copies of the APPEND whose answer is missing.
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
        self.converse(.find(open), transfer: transfer, place: transfer.target, on: known.loop) {
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

    /// - Parameter missing: messages that the target may be storing still.
    private func remove(
        _ interrupted: Interrupted,
        transfer: Transfer,
        uids: [UInt32],
        missing: Int
    ) {
        guard !uids.isEmpty else {
            return self.removed(interrupted, transfer: transfer, missing: missing)
        }
        self.converse(.undo(uids), transfer: transfer, place: transfer.target, on: interrupted.loop)
        { outcome in
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

    private func removed(_ interrupted: Interrupted, transfer: Transfer, missing: Int) {
        // Messages that the target has got, and has not stored yet, would come after this look.
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

    private func converse(
        _ purpose: TransferRecovery.Purpose,
        transfer: Transfer,
        place: Transfer.Place,
        on loop: any EventLoop,
        done: @escaping @Sendable (TransferRecovery.Outcome?) -> Void
    ) {
        guard let upstream = self.upstream.withLock({ $0 }),
            let target = upstream.permissions.current.endpoints[place.account]
        else { return done(nil) }
        ConversationConnection.run(
            TransferRecovery(purpose, of: transfer),
            at: ConversationServer(account: target, upstream: upstream),
            on: loop,
            done: done
        )
    }

    // MARK: - The end

    private func finished(_ interrupted: Interrupted, resolution: TransferResolution) {
        self.logger.notice(
            "an interrupted transfer was brought to its end",
            metadata: ["entry": "\(interrupted.entry)", "end": "\(resolution)"]
        )
        self.write(
            { try $0.forgetTransfer(interrupted.entry) },
            on: interrupted.loop,
            answer: { _ in
                var interrupted = interrupted
                interrupted.tell(resolution)
            }
        )
    }

    /// Copies stay, or may: an administrator hears of it.
    private func remains(_ interrupted: Interrupted, transfer: Transfer, messages: Int) {
        let published = self.upstream.withLock { $0 }?.permissions.current
        let account = published?.access.accounts[transfer.target.account]?.address.description
        self.logger.warning(
            "an interrupted transfer may have left copies, and nothing proves which they are",
            metadata: [
                "entry": "\(interrupted.entry)", "account": "\(account ?? "?")",
                "folder": "\(transfer.target.folder)", "messages": "\(messages)",
            ]
        )
        self.write(
            { try $0.leaveTransfer(interrupted.entry, messages: messages) },
            on: interrupted.loop,
            answer: { _ in
                var interrupted = interrupted
                interrupted.tell(.remains)
            }
        )
    }

    /// A server, or the journal, cannot be used now.
    private func tryLater(_ interrupted: Interrupted) {
        var next = interrupted
        next.tell(.postponed)
        self.logger.warning(
            "an interrupted transfer cannot be brought to its end now",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        next.attempt += 1
        next.left = 0
        self.resolve(next, in: Self.retries[min(interrupted.attempt, Self.retries.count - 1)])
    }

    private func resolve(_ interrupted: Interrupted, in time: TimeAmount) {
        interrupted.loop.scheduleTask(in: time) { [self] in
            guard self.upstream.withLock({ $0 }) != nil else { return }
            self.resolve(interrupted)
        }
    }
}
