import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What the journal says of a COPY or MOVE to another account, and how it ends: the originals of a
/// MOVE go, or what was copied is taken back.
extension Transferring {
    // MARK: - The journal

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

    /// The journal has the transfer under a number; nil where it could not be written.
    private func recorded(_ entry: Int64?, in context: inout some CommandContext) {
        guard case .recording = self.step else {
            // The session ended in between: nothing was begun.
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

    /// Every message is at the target, and its server said so.
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

    /// The journal has that every message was copied, or could not be written.
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

    /// Tells the client of a MOVE what the messages are now, before they go (RFC 6851 §4.3).
    private func tellCopies(in context: inout some CommandContext) {
        guard self.plan.moves, !self.hasToldCopies else { return }
        self.hasToldCopies = true
        if let code = self.copyUID { context.emit(Reply.untagged(.status(code))) }
    }

    private func markNext(in context: inout some CommandContext) {
        let batch = self.journal.batches.removeFirst()
        let hasUIDPlus = context.upstream(of: self.plan.source)?.profile.has("UIDPLUS") ?? false
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            // Where the messages stay, the client sees what they became.
            encoder.write(word: hasUIDPlus ? "+FLAGS.SILENT (\\Deleted)" : "+FLAGS (\\Deleted)")
        }
    }

    /// The journal forgot the transfer, or could not be written.
    private func forgotten(_ succeeded: Bool, in context: inout some CommandContext) {
        guard case .forgetting(let answer) = self.step else { return }
        // Of a COPY an entry that stays takes the copies back when the gateway starts again, so
        // the client may not be told that they are there.
        if !succeeded, !self.journal.isCopied {
            return self.resolve(answer: .unavailable, in: &context)
        }
        self.finish(answer: answer, in: &context)
    }

    // MARK: - The end

    /// A MOVE's messages are at the target: the originals go.
    func sourceMarked(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        guard completion.condition == .ok else {
            // Some may be marked by now, and another client's EXPUNGE would take them.
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

    /// Takes the marks off the originals, which stay; only then what was copied is taken back.
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

    /// The answer where all messages are at the target.
    var completedText: ReplyText {
        // MOVE has told it before the messages went.
        self.plan.moves
            ? .completed("MOVE") : .completed("COPY", self.copyUID)
    }

    /// Ends a transfer of which nothing is in doubt: the journal forgets it, then the client is
    /// answered.
    func conclude(answer: ReplyText, in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            return self.finish(answer: answer, in: &context)
        }
        self.step = .forgetting(answer)
        context.perform(.journal(.forget(entry)))
    }

    /// Ends a transfer that failed: what may be at the target is taken back first.
    func fail(answer: ReplyText, in context: inout some CommandContext) {
        self.needsResolution
            ? self.resolve(answer: answer, in: &context)
            : self.conclude(answer: answer, in: &context)
    }

    func resolve(answer: ReplyText, in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            return self.finish(answer: answer, in: &context)
        }
        self.leaveTarget(in: &context)
        self.step = .resolving(answer)
        context.perform(.journal(.resolve(entry, self.journal.standing)))
    }

    /// An interrupted transfer has come to an end, or will be brought to one later.
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

    private func finish(answer: ReplyText, in context: inout some CommandContext) {
        self.leaveTarget(in: &context)
        context.finish(self.plan.tag, text: answer)
        for account in Set([self.plan.source, self.plan.target]).sorted() {
            context.commandLeft(account)
        }
        context.readClient()
    }

    /// Lets go of the target's mailbox; without UNSELECT, of the connection.
    private func leaveTarget(in context: inout some CommandContext) {
        let account = self.plan.target
        // Inside one account the client has its mailbox selected there.
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
