import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What happens at the two servers, and to the session, while messages pass.
extension Transferring {
    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        guard self.plan.involves(account) else { return false }
        switch event {
        case .continued:
            try self.continued(by: account, in: &context)
        case .completed(let completion):
            self.completed(completion, by: account, in: &context)
        case .untagged(.status(let code)):
            guard account == self.plan.target, !self.plan.isLocal else { return false }
            self.statusReceived(code)
        case .untagged(.list(let list, _, _)):
            guard case .lookingForTarget = self.step, account == self.plan.target else {
                return false
            }
            self.targetListed(list)
        case .untagged(.counts(let status, let folder)):
            guard case .askingUIDNext = self.step, account == self.plan.target,
                folder == self.plan.targetFolder
            else { return false }
            self.counted(status)
            // What a server tells by itself has more in it.
            return Set(status.items.map(\.item)).isSubset(of: [.uidNext, .uidValidity])
        case .untagged(.fetch(let response)):
            try self.listed(response, in: &context)
        case .lost(let answer):
            self.upstreamLost(account, answer: answer, in: &context)
        case .ready, .untagged:
            return false
        }
        return true
    }

    /// A command of the transfer is answered.
    private func completed(
        _ completion: Completion,
        by account: AccountID,
        in context: inout some CommandContext
    ) {
        let condition = completion.condition
        if account == self.plan.target, !self.plan.isLocal || self.isTargetAsked {
            return self.targetAnswered(completion, in: &context)
        }
        switch self.step {
        case .silencing:
            guard condition == .ok else {
                return self.conclude(answer: context.refusal(completion), in: &context)
            }
            self.listSource(in: &context)
        case .listing:
            self.sourceListed(completion, in: &context)
        case .fetching, .fetched:
            self.messageFetched(completion, in: &context)
        case .draining(let answer):
            self.fail(answer: answer, in: &context)
        case .marking:
            self.sourceMarked(completion, in: &context)
        case .unmarking(let answer):
            // Where they stay marked, the move has to go on: the copies are all there are.
            guard condition == .ok else { return self.resolve(answer: answer, in: &context) }
            self.unmarkNext(answer: answer, in: &context)
        case .expunging:
            guard condition == .ok else {
                return self.conclude(answer: .movedWithMarks, in: &context)
            }
            self.expungeNext(in: &context)
        default:
            break
        }
    }

    private func targetAnswered(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        switch self.step {
        case .selectingTarget, .askingUIDNext:
            self.targetSelected(completion, in: &context)
        case .lookingForTarget(let refusal):
            self.targetSought(refusal: refusal, in: &context)
        default:
            self.appendAnswered(completion, in: &context)
        }
    }

    /// The time for a word to the client, so that a large move neither times out nor looks dead
    /// (RFC 9585).
    func reportDue(in context: inout some CommandContext) {
        context.perform(.reportLater)
        context.emit(
            Reply.progress(
                tag: self.plan.tag,
                done: min(
                    self.progress.index,
                    max(self.listing.messages.count - 1, 0)
                ),
                of: self.listing.messages.count
            )
        )
    }

    /// One of the two servers is lost.
    private func upstreamLost(
        _ account: AccountID,
        answer: ReplyText,
        in context: inout some CommandContext
    ) {
        switch self.step {
        case .marking, .unmarking, .expunging:
            // The target is not needed any more; the source's part is done by other means.
            guard account == self.plan.source else { return }
            self.resolve(answer: answer, in: &context)
        case .recording:
            // The journal answers first.
            self.journal.lostAnswer = answer
        case .recordingAppend:
            // An incomplete command stores nothing; the journal answers first.
            context.drop(self.plan.target)
            self.journal.lostAnswer = answer
        case .recordingCopied, .forgetting, .resolving:
            // What the journal answers leads on.
            break
        case .draining(let first):
            if account == self.plan.source { self.fail(answer: first, in: &context) }
        case .silencing, .listing, .fetching, .announcing, .streaming, .fetched:
            if account == self.plan.source {
                // An incomplete command stores nothing.
                context.drop(self.plan.target)
                return self.fail(answer: answer, in: &context)
            }
            self.step = .draining(answer)
            context.readUpstream(self.plan.source)
        case .selectingTarget, .askingUIDNext, .lookingForTarget, .confirming:
            if account == self.plan.source { context.drop(self.plan.target) }
            self.fail(answer: answer, in: &context)
        }
    }

    func permissionsChanged(in context: inout some CommandContext) {
        guard !self.journal.isCopied else { return }
        self.rights = context.rights(in: self.plan.targetFolder, of: self.plan.target)
    }

    /// A transfer whose target takes no more messages of this user is cut, and is taken back.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        account == self.plan.target && !self.journal.isCopied
            && !self.rights.contains([.insert, .lookup])
    }

    /// The client's connection ends: what the journal has is brought to its end without it.
    func abandon(in context: inout some CommandContext) {
        guard let entry = self.journal.entry else { return }
        switch self.step {
        case .forgetting, .resolving:
            break
        case .recordingCopied:
            // Either state of the entry leads to a good end.
            context.perform(.journal(.resolve(entry, nil)))
        case .confirming:
            self.leaveConfirming(entry: entry, in: &context)
        default:
            let standing = self.journal.standing
            context.perform(
                .journal(self.needsResolution ? .resolve(entry, standing) : .forget(entry))
            )
        }
    }

    /// The target has got a whole command and stores it, be its connection closed or not: it is
    /// left only when it has answered, because a look before that finds nothing.
    private func leaveConfirming(entry: Int64, in context: inout some CommandContext) {
        var encoder = context.encoder(for: self.plan.target)
        encoder.write(word: "LOGOUT")
        context.send(encoder, to: self.plan.target)
        context.leave(self.plan.target, then: .resolve(entry, self.journal.standing))
    }

    // MARK: - Commands

    func sendToTarget(in context: inout some CommandContext, write: (inout CommandEncoder) -> Void)
    {
        var encoder = context.encoder(for: self.plan.target)
        write(&encoder)
        self.send(encoder.finish(), to: self.plan.target, in: &context)
    }

    func sendToSource(in context: inout some CommandContext, write: (inout CommandEncoder) -> Void)
    {
        var encoder = context.encoder(for: self.plan.source)
        write(&encoder)
        self.send(encoder.finish(), to: self.plan.source, in: &context)
    }

    private func send(
        _ segments: [ByteBuffer],
        to account: AccountID,
        in context: inout some CommandContext
    ) {
        self.segments = segments
        self.segmentsAccount = account
        guard !segments.isEmpty else { return }
        context.send(self.segments.removeFirst(), to: account)
    }

    // MARK: - Silence

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        let isSource = account == self.plan.source
        let isTarget = account == self.plan.target
        guard isSource || isTarget else { return isInFlight ? .prompt : nil }
        return switch self.step {
        case .selectingTarget, .askingUIDNext, .lookingForTarget: isTarget ? .prompt : nil
        case .silencing: isSource ? .prompt : nil
        case .listing, .marking, .unmarking, .expunging: isSource ? .transfer : nil
        case .announcing, .confirming: isTarget ? .transfer : nil
        // The source is read only while the target takes what came before.
        case .fetching, .streaming, .fetched, .draining: isSource ? .transfer : .message
        case .recording, .recordingAppend, .recordingCopied, .forgetting, .resolving: nil
        }
    }
}
