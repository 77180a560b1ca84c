import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What the journal says of a COPY or MOVE to another account, and how it ends: the originals of a
/// MOVE go, or what was copied is taken back.
extension ClientSession {
    // MARK: - The journal

    package mutating func journalAnswered(_ answer: JournalAnswer) {
        switch answer {
        case .recorded(let entry): self.transferRecorded(entry)
        case .busy:
            guard case .transferring(let transferring) = self.running else { return }
            self.conclude(transferring, answer: .inUse)
        case .appending(let succeeded): self.appendRecorded(succeeded)
        case .confirmed(let succeeded): self.transferConfirmed(succeeded)
        case .forgotten(let succeeded): self.transferForgotten(succeeded)
        case .resolved(let resolution): self.transferResolved(resolution)
        }
    }

    /// The journal has the transfer under a number; nil where it could not be written.
    private mutating func transferRecorded(_ entry: Int64?) {
        guard case .transferring(let transferring) = self.running,
            case .recording = transferring.step
        else {
            // The session ended in between: nothing was begun.
            if let entry { self.actions.append(.journal(.forget(entry))) }
            return
        }
        transferring.journal.entry = entry
        guard entry != nil, self.upstreams[transferring.plan.source] != nil,
            self.upstreams[transferring.plan.target] != nil
        else {
            return self.conclude(
                transferring,
                answer: transferring.journal.lostAnswer ?? .unavailable
            )
        }
        self.fetchNext(transferring)
    }

    /// Every message is at the target, and its server said so.
    mutating func allConfirmed(_ transferring: Transferring) {
        guard let entry = transferring.journal.entry, transferring.plan.moves,
            !transferring.progress.confirmed.isEmpty
        else { return self.conclude(transferring, answer: self.transferCompleted(transferring)) }
        let rights = self.access(to: transferring.plan.source).rights(
            in: transferring.plan.sourceFolder
        )
        guard rights.contains([.deleteMessages, .expunge]) else {
            return self.fail(transferring, answer: .notPermitted)
        }
        transferring.step = .recordingCopied
        self.actions.append(
            .journal(
                .confirm(entry, transferring.progress.confirmed, last: transferring.journal.last)
            )
        )
    }

    /// The journal has that every message was copied, or could not be written.
    private mutating func transferConfirmed(_ succeeded: Bool) {
        guard case .transferring(let transferring) = self.running,
            case .recordingCopied = transferring.step
        else { return }
        guard succeeded else { return self.fail(transferring, answer: .unavailable) }
        transferring.journal.isCopied = true
        guard self.upstreams[transferring.plan.source] != nil else {
            return self.resolve(transferring, answer: .unavailable)
        }
        transferring.step = .marking
        transferring.journal.batches = SequenceSet.batches(of: transferring.progress.confirmed)
        self.markNext(transferring)
    }

    /// Tells the client of a MOVE what the messages are now, before they go (RFC 6851 §4.3).
    private mutating func tellCopies(_ transferring: Transferring) {
        guard transferring.plan.moves, !transferring.hasToldCopies else { return }
        transferring.hasToldCopies = true
        if let code = transferring.copyUID { self.emit(Reply.untagged(.status(code))) }
    }

    private mutating func markNext(_ transferring: Transferring) {
        let batch = transferring.journal.batches.removeFirst()
        let hasUIDPlus = self.upstreams[transferring.plan.source]?.profile.has("UIDPLUS") ?? false
        self.sendToSource(transferring) { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            // Where the messages stay, the client sees what they became.
            encoder.write(word: hasUIDPlus ? "+FLAGS.SILENT (\\Deleted)" : "+FLAGS (\\Deleted)")
        }
    }

    /// The journal forgot the transfer, or could not be written.
    private mutating func transferForgotten(_ succeeded: Bool) {
        guard case .transferring(let transferring) = self.running,
            case .forgetting(let answer) = transferring.step
        else { return }
        // Of a COPY an entry that stays takes the copies back when the gateway starts again, so
        // the client may not be told that they are there.
        if !succeeded, !transferring.journal.isCopied {
            return self.resolve(transferring, answer: .unavailable)
        }
        self.finishTransfer(transferring, answer: answer)
    }

    // MARK: - The end

    /// A MOVE's messages are at the target: the originals go.
    mutating func sourceMarked(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            // Some may be marked by now, and another client's EXPUNGE would take them.
            let answer = self.refusal(condition, code: code)
            let marked = transferring.progress.confirmed.filter {
                !transferring.listing.wasDeleted.contains($0)
            }
            transferring.journal.batches = SequenceSet.batches(of: marked)
            return self.unmarkNext(transferring, answer: answer)
        }
        guard transferring.journal.batches.isEmpty else { return self.markNext(transferring) }
        self.tellCopies(transferring)
        guard self.upstreams[transferring.plan.source]?.profile.has("UIDPLUS") ?? false else {
            return self.conclude(transferring, answer: .movedWithMarks)
        }
        transferring.step = .expunging
        transferring.journal.batches = SequenceSet.batches(of: transferring.progress.confirmed)
        self.expungeNext(transferring)
    }

    /// Takes the marks off the originals, which stay; only then what was copied is taken back.
    mutating func unmarkNext(_ transferring: Transferring, answer: ReplyText) {
        guard !transferring.journal.batches.isEmpty else {
            transferring.journal.isCopied = false
            return self.resolve(transferring, answer: answer)
        }
        transferring.step = .unmarking(answer)
        let batch = transferring.journal.batches.removeFirst()
        self.sendToSource(transferring) { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            encoder.write(word: "-FLAGS.SILENT (\\Deleted)")
        }
    }

    mutating func expungeNext(_ transferring: Transferring) {
        guard !transferring.journal.batches.isEmpty else {
            return self.conclude(transferring, answer: self.transferCompleted(transferring))
        }
        let batch = transferring.journal.batches.removeFirst()
        self.sendToSource(transferring) { encoder in
            encoder.write(word: "UID EXPUNGE")
            batch.encode(into: &encoder)
        }
    }

    func transferCompleted(_ transferring: Transferring) -> ReplyText {
        // MOVE has told it before the messages went.
        transferring.plan.moves
            ? .completed("MOVE") : .completed("COPY", transferring.copyUID)
    }

    /// Ends a transfer of which nothing is in doubt: the journal forgets it, then the client is
    /// answered.
    mutating func conclude(_ transferring: Transferring, answer: ReplyText) {
        guard let entry = transferring.journal.entry else {
            return self.finishTransfer(transferring, answer: answer)
        }
        transferring.step = .forgetting(answer)
        self.actions.append(.journal(.forget(entry)))
    }

    /// Ends a transfer that failed: what may be at the target is taken back first.
    mutating func fail(_ transferring: Transferring, answer: ReplyText) {
        transferring.needsResolution
            ? self.resolve(transferring, answer: answer)
            : self.conclude(transferring, answer: answer)
    }

    mutating func resolve(_ transferring: Transferring, answer: ReplyText) {
        guard let entry = transferring.journal.entry else {
            return self.finishTransfer(transferring, answer: answer)
        }
        self.leaveTarget(transferring)
        transferring.step = .resolving(answer)
        self.actions.append(.journal(.resolve(entry, transferring.journal.standing)))
    }

    /// An interrupted transfer has come to an end, or will be brought to one later.
    private mutating func transferResolved(_ resolution: TransferResolution) {
        guard case .transferring(let transferring) = self.running,
            case .resolving(let answer) = transferring.step
        else { return }
        switch resolution {
        case .undone:
            self.finishTransfer(transferring, answer: answer)
        case .completed:
            self.tellCopies(transferring)
            self.finishTransfer(transferring, answer: self.transferCompleted(transferring))
        case .remains:
            self.finishTransfer(
                transferring,
                answer: .partlyCopied(
                    SequenceSet(
                        uids: transferring.progress.confirmed
                            + (transferring.progress.isInDoubt ? transferring.progress.sent : [])
                    )
                )
            )
        case .postponed where transferring.journal.isCopied:
            self.tellCopies(transferring)
            self.finishTransfer(transferring, answer: .movedLater)
        case .postponed:
            self.finishTransfer(transferring, answer: .undoneLater)
        }
    }

    private mutating func finishTransfer(_ transferring: Transferring, answer: ReplyText) {
        self.leaveTarget(transferring)
        self.finish(transferring.plan.tag, text: answer)
        for account in Set([transferring.plan.source, transferring.plan.target]).sorted() {
            if !self.bringInStep(account), self.selected?.account != account {
                self.requestFoldersForNews(of: account)
            }
        }
        self.readClient()
    }

    /// Lets go of the target's mailbox; without UNSELECT, of the connection.
    private mutating func leaveTarget(_ transferring: Transferring) {
        let account = transferring.plan.target
        // Inside one account the client has its mailbox selected there.
        guard !transferring.plan.isLocal, !transferring.hasLeftTarget,
            let upstream = self.upstreams[account],
            upstream.state == .ready
        else { return }
        transferring.hasLeftTarget = true
        guard upstream.inFlight == nil, upstream.profile.has("UNSELECT") else {
            return self.drop(account)
        }
        var encoder = self.encoder(for: account)
        encoder.write(word: "UNSELECT")
        self.upstreams[account]?.housekeeping = .upkeep
        for segment in encoder.finish() { self.actions.append(.toUpstream(account, segment)) }
    }
}
