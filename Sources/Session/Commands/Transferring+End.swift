import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The journal's answers, and the end of a transfer: the originals of a MOVE are expunged, or the copies are removed.
extension Transferring {
    // MARK: - The journal

    /// The journal answered a request.
    func journalAnswered(_ answer: JournalAnswer, in context: inout some CommandContext) {
        switch answer {
        case .recorded(let entry): self.recorded(entry, in: &context)
        case .busy: self.conclude(answer: .inUse, in: &context)
        case .appending(let succeeded): self.appendRecorded(succeeded, in: &context)
        case .confirmed(let succeeded): self.copyRecorded(succeeded, in: &context)
        case .forgotten(let succeeded): self.forgotten(succeeded, in: &context)
        case .resolved(let resolution): self.resolved(resolution, in: &context)
        }
    }

    /// The journal recorded the transfer.
    ///
    /// - Parameter entry: the number of the entry; nil if the journal could not be written.
    private func recorded(_ entry: Int64?, in context: inout some CommandContext) {
        guard case .recording = self.step else {
            // The session ended in the meantime; the transfer has stored nothing.
            if let entry { context.perform(.journal(.forget(entry))) }
            return
        }
        self.journal.entry = entry
        guard entry != nil, context.upstream(of: self.plan.source) != nil,
            context.upstream(of: self.plan.target) != nil
        else {
            return self.conclude(answer: self.journal.lostAnswer ?? .unavailable, in: &context)
        }
        self.fetchNext(in: &context)
    }

    /// The target has stored every message, by its tagged responses. For a MOVE, the rights on the originals are
    /// checked now.
    func allConfirmed(in context: inout some CommandContext) {
        guard let entry = self.journal.entry, self.plan.moves,
            !self.progress.confirmed.isEmpty
        else { return self.conclude(answer: self.completedText, in: &context) }
        let rights = context.access(to: self.plan.source).rights(
            in: self.plan.sourceFolder
        )
        guard rights.contains([.deleteMessages, .expunge]) else {
            return self.fail(answer: .notPermitted, in: &context)
        }
        self.step = .recordingCopied
        context.perform(
            .journal(
                .confirm(entry, self.progress.confirmed, last: self.journal.last)
            )
        )
    }

    /// The journal recorded that every message is copied, or could not be written. Then the originals are marked.
    private func copyRecorded(_ succeeded: Bool, in context: inout some CommandContext) {
        guard case .recordingCopied = self.step else { return }
        guard succeeded else { return self.fail(answer: .unavailable, in: &context) }
        self.journal.isCopied = true
        guard context.upstream(of: self.plan.source) != nil else {
            return self.resolve(answer: .unavailable, in: &context)
        }
        self.step = .marking
        self.journal.batches = SequenceSet.batches(of: self.progress.confirmed)
        self.markNext(in: &context)
    }

    /// Sends COPYUID to the client of a MOVE, before the originals are expunged (RFC 6851 §4.3).
    private func tellCopies(in context: inout some CommandContext) {
        guard self.plan.moves, !self.hasToldCopies else { return }
        self.hasToldCopies = true
        if let code = self.copyUID { context.emit(Reply.untagged(.status(code))) }
    }

    /// Sets `\Deleted` on the next batch of originals.
    private func markNext(in context: inout some CommandContext) {
        let batch = self.journal.batches.removeFirst()
        let hasUIDPlus = context.upstream(of: self.plan.source)?.profile.has("UIDPLUS") ?? false
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            // Without UIDPLUS the originals stay, so the client gets their new flags.
            encoder.write(word: hasUIDPlus ? "+FLAGS.SILENT (\\Deleted)" : "+FLAGS (\\Deleted)")
        }
    }

    /// The journal deleted the entry, or could not be written.
    private func forgotten(_ succeeded: Bool, in context: inout some CommandContext) {
        guard case .forgetting(let answer) = self.step else { return }
        // If the entry of a COPY stays, the recovery at the next start removes the copies. So the client must not
        // get an OK.
        if !succeeded, !self.journal.isCopied {
            return self.resolve(answer: .unavailable, in: &context)
        }
        self.finish(answer: answer, in: &context)
    }

    // MARK: - The end

    /// The source completed STORE of `\Deleted`: marks the next batch, or begins to expunge.
    func sourceMarked(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        guard completion.condition == .ok else {
            // Some originals may be marked now, and another client's EXPUNGE would remove them.
            let answer = context.refusal(completion)
            let marked = self.progress.confirmed.filter {
                !self.listing.wasDeleted.contains($0)
            }
            self.journal.batches = SequenceSet.batches(of: marked)
            return self.unmarkNext(answer: answer, in: &context)
        }
        guard self.journal.batches.isEmpty else { return self.markNext(in: &context) }
        self.tellCopies(in: &context)
        guard context.upstream(of: self.plan.source)?.profile.has("UIDPLUS") ?? false else {
            return self.conclude(answer: .movedWithMarks, in: &context)
        }
        self.step = .expunging
        self.journal.batches = SequenceSet.batches(of: self.progress.confirmed)
        self.expungeNext(in: &context)
    }

    /// Removes `\Deleted` from the next batch of originals. The copies are removed only after the last batch.
    func unmarkNext(answer: ReplyText, in context: inout some CommandContext) {
        guard !self.journal.batches.isEmpty else {
            self.journal.isCopied = false
            return self.resolve(answer: answer, in: &context)
        }
        self.step = .unmarking(answer)
        let batch = self.journal.batches.removeFirst()
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            encoder.write(word: "-FLAGS.SILENT (\\Deleted)")
        }
    }

    /// Expunges the next batch of originals by UID.
    func expungeNext(in context: inout some CommandContext) {
        guard !self.journal.batches.isEmpty else {
            return self.conclude(answer: self.completedText, in: &context)
        }
        let batch = self.journal.batches.removeFirst()
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID EXPUNGE")
            batch.encode(into: &encoder)
        }
    }

    /// The tagged response of a successful transfer.
    var completedText: ReplyText {
        // For MOVE, an untagged OK has already reported COPYUID.
        self.plan.moves
            ? .completed("MOVE") : .completed("COPY", self.copyUID)
    }

    /// Ends a transfer that needs no recovery: deletes its journal entry, then answers the client.
    func conclude(answer: ReplyText, in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            return self.finish(answer: answer, in: &context)
        }
        self.step = .forgetting(answer)
        context.perform(.journal(.forget(entry)))
    }

    /// Ends a failed transfer: undoes it first if the target may have stored messages.
    func fail(answer: ReplyText, in context: inout some CommandContext) {
        self.needsResolution
            ? self.resolve(answer: answer, in: &context)
            : self.conclude(answer: answer, in: &context)
    }

    /// Starts the recovery of the transfer. The client gets its response afterwards.
    func resolve(answer: ReplyText, in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            return self.finish(answer: answer, in: &context)
        }
        self.leaveTarget(in: &context)
        self.step = .resolving(answer)
        context.perform(.journal(.resolve(entry, self.journal.interruptedState)))
    }

    /// The recovery has ended, or will be tried again later: answers the client.
    private func resolved(
        _ resolution: TransferResolution,
        in context: inout some CommandContext
    ) {
        guard case .resolving(let answer) = self.step else { return }
        switch resolution {
        case .undone:
            self.finish(answer: answer, in: &context)
        case .completed:
            self.tellCopies(in: &context)
            self.finish(answer: self.completedText, in: &context)
        case .remains:
            self.finish(
                answer: .partlyCopied(
                    SequenceSet(
                        uids: self.progress.confirmed
                            + (self.progress.isInDoubt ? self.progress.sent : [])
                    )
                ),
                in: &context
            )
        case .postponed where self.journal.isCopied:
            self.tellCopies(in: &context)
            self.finish(answer: .movedLater, in: &context)
        case .postponed:
            self.finish(answer: .undoneLater, in: &context)
        }
    }

    /// Answers the client and releases both servers.
    private func finish(answer: ReplyText, in context: inout some CommandContext) {
        self.leaveTarget(in: &context)
        context.finish(self.plan.tag, text: answer)
        for account in Set([self.plan.source, self.plan.target]).sorted() {
            context.commandLeft(account)
        }
        context.readClient()
    }

    /// Unselects the target mailbox; closes the connection if the server lacks UNSELECT (RFC 3691) or is busy.
    private func leaveTarget(in context: inout some CommandContext) {
        let account = self.plan.target
        // Within one account, the client's mailbox is selected on this connection.
        guard !self.plan.isLocal, !self.hasLeftTarget,
            let upstream = context.upstream(of: account),
            upstream.state == .ready
        else { return }
        self.hasLeftTarget = true
        guard upstream.inFlight == nil, upstream.profile.has("UNSELECT") else {
            return context.drop(account)
        }
        var encoder = context.encoder(for: account)
        encoder.write(word: "UNSELECT")
        upstream.housekeeping = .upkeep
        context.send(encoder, to: account)
    }
}
