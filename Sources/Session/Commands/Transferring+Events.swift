import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Events of the two servers and of the session during a transfer.
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
            // An unsolicited STATUS has other items and is for the session.
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

    /// A server completed a command of the transfer.
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
            // The originals stay marked and may be expunged, so the copies must stay: the recovery completes the move.
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

    /// The target completed a command.
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

    /// A progress report is due (INPROGRESS, RFC 9585). It keeps the client from giving up on a large transfer.
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

    /// The connection to one of the two servers is lost.
    private func upstreamLost(
        _ account: AccountID,
        answer: ReplyText,
        in context: inout some CommandContext
    ) {
        switch self.step {
        case .marking, .unmarking, .expunging:
            // The target is no longer needed. Without the source, the recovery completes the move.
            guard account == self.plan.source else { return }
            self.resolve(answer: answer, in: &context)
        case .recording:
            // The transfer ends when the journal has answered.
            self.journal.lostAnswer = answer
        case .recordingAppend:
            // The target stores nothing of an incomplete command. The transfer ends when the journal has answered.
            context.drop(self.plan.target)
            self.journal.lostAnswer = answer
        case .recordingCopied, .forgetting, .resolving:
            // The answer of the journal continues the transfer.
            break
        case .draining(let first):
            if account == self.plan.source { self.fail(answer: first, in: &context) }
        case .silencing, .listing, .fetching, .announcing, .streaming, .fetched:
            if account == self.plan.source {
                // The target stores nothing of an incomplete command.
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

    /// Updates the rights in the target until all messages are copied; after that they no longer matter.
    func permissionsChanged(in context: inout some CommandContext) {
        guard !self.journal.isCopied else { return }
        self.rights = context.rights(in: self.plan.targetFolder, of: self.plan.target)
    }

    /// Whether the user may no longer store messages in the target. The transfer is then cut and undone, unless all
    /// messages are copied already.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        account == self.plan.target && !self.journal.isCopied
            && !self.rights.contains([.insert, .lookup])
    }

    /// The client's connection ends: the recovery undoes or completes the transfer, if it has a journal entry.
    func abandon(in context: inout some CommandContext) {
        guard let entry = self.journal.entry else { return }
        switch self.step {
        case .forgetting, .resolving:
            break
        case .recordingCopied:
            // The recovery handles both possible states of the entry.
            context.perform(.journal(.resolve(entry, nil)))
        case .confirming:
            self.leaveConfirming(entry: entry, in: &context)
        default:
            let interruptedState = self.journal.interruptedState
            context.perform(
                .journal(self.needsResolution ? .resolve(entry, interruptedState) : .forget(entry))
            )
        }
    }

    /// The target has received a whole command and stores its messages even if the connection is closed. So the
    /// recovery starts only after the target has answered and closed the connection. An earlier search would not find
    /// the copies.
    private func leaveConfirming(entry: Int64, in context: inout some CommandContext) {
        var encoder = context.encoder(for: self.plan.target)
        encoder.write(word: "LOGOUT")
        context.send(encoder, to: self.plan.target)
        context.leave(self.plan.target, then: .resolve(entry, self.journal.interruptedState))
    }

    // MARK: - Commands

    /// Sends a command to the target's server.
    func sendToTarget(in context: inout some CommandContext, write: (inout CommandEncoder) -> Void)
    {
        var encoder = context.encoder(for: self.plan.target)
        write(&encoder)
        self.send(encoder.finish(), to: self.plan.target, in: &context)
    }

    /// Sends a command to the source's server.
    func sendToSource(in context: inout some CommandContext, write: (inout CommandEncoder) -> Void)
    {
        var encoder = context.encoder(for: self.plan.source)
        write(&encoder)
        self.send(encoder.finish(), to: self.plan.source, in: &context)
    }

    /// Sends the first segment of a command, and keeps the others for continuation requests.
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

    // MARK: - Timeouts

    /// The kind of answer that each server owes in the current step.
    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        let isSource = account == self.plan.source
        let isTarget = account == self.plan.target
        guard isSource || isTarget else { return isInFlight ? .prompt : nil }
        return switch self.step {
        case .selectingTarget, .askingUIDNext, .lookingForTarget: isTarget ? .prompt : nil
        case .silencing: isSource ? .prompt : nil
        case .listing, .marking, .unmarking, .expunging: isSource ? .transfer : nil
        case .announcing, .confirming: isTarget ? .transfer : nil
        // The source is read only as fast as the target accepts octets.
        case .fetching, .streaming, .fetched, .draining: isSource ? .transfer : .message
        case .recording, .recordingAppend, .recordingCopied, .forgetting, .resolving: nil
        }
    }
}
