import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running LIST or LSUB.
///
/// The session asks each server for all folders with a fixed pattern. It removes the folders that the user may not
/// look up, then matches the client's patterns, computes the attributes from the remaining folders, and writes the
/// lines. So no pattern, reference or option reveals a folder that no grant covers (RFC 9051 §11.5).
final class Listing: RunningCommand {
    let tag: ByteBuffer
    let request: ListRequest
    /// One part for each account that a pattern may reach, in the order of the answer.
    private(set) var parts: [ListingPart] = []
    /// The names that the user subscribed or unsubscribed; nil until the store has been read.
    private(set) var choices: SubscriptionChoices?
    /// Whether the store could not be read. The answer is `NO` then, once no command is in flight at any server.
    private(set) var lacksChoices = false
    /// Octets of the responses of all servers so far, including ``ListLimits/octetsOfFolder`` for each.
    private var octets = 0
    /// The answer that is being written, once every server has answered.
    private var answer: ListAnswer?

    init(tag: ByteBuffer, request: ListRequest) {
        self.tag = tag
        self.request = request
    }

    /// Whether everything that the answer needs has arrived or failed.
    private var isComplete: Bool {
        (self.choices != nil || self.lacksChoices || !self.request.needsSubscriptions)
            && self.parts.allSatisfy(\.isDone)
    }

    /// The part of an account; nil if the listing does not reach it.
    func part(of account: AccountID) -> ListingPart? {
        self.parts.first { $0.account == account }
    }

    /// Requests the cached folders of each account that a pattern reaches, and the subscriptions if needed.
    func begin(in context: inout some CommandContext) {
        self.parts = context.namespace.views.filter(self.request.mayMatch)
            .map { ListingPart(view: $0) }
        self.lookUpFolders(in: &context)
        if self.request.needsSubscriptions, let user = context.user {
            context.perform(.loadSubscriptions(user))
        }
        self.complete(in: &context)
    }

    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        switch event {
        case .continued:
            guard let part = self.part(of: account), !part.segments.isEmpty else { return false }
            context.send(part.segments.removeFirst(), to: account)
        case .completed(let completion):
            guard let part = self.part(of: account), part.isAsking else { return false }
            self.completed(completion.condition, part: part, in: &context)
        case .ready:
            self.ask(account, in: &context)
        case .untagged(.list(let list, let octets, let isLsub)):
            try self.count(octets: octets, from: account)
            self.listed(list, isLsub: isLsub, by: account, in: &context)
        case .untagged(.counts(let status, let folder)):
            return try self.statusReceived(status, of: folder, from: account, in: &context)
        case .lost:
            if let part = self.part(of: account), part.step != .lookingUp, !part.isDone {
                self.giveUp(part, in: &context)
            }
            self.complete(in: &context)
        case .untagged:
            return false
        }
        return true
    }

    /// Counts the octets of a response that the listing holds in memory.
    ///
    /// - Throws: a size error if the server or the listing exceeds ``ListLimits``; the connection is dropped then.
    func count(octets: Int, from account: AccountID) throws(SyntaxError) {
        self.octets += octets + ListLimits.octetsOfFolder
        let part = self.part(of: account)
        part?.octets += octets
        guard self.octets <= ListLimits.octets, part?.octets ?? 0 <= ListLimits.octetsOfServer
        else { throw SyntaxError(.lineTooLong, at: octets) }
    }

    // MARK: - Subscriptions

    /// The store returned the user's subscription choices; nil if it could not be read.
    ///
    /// - Returns: whether the listing was waiting for them.
    func subscriptionsLoaded(
        _ choices: SubscriptionChoices?,
        in context: inout some CommandContext
    ) -> Bool {
        guard self.request.needsSubscriptions, self.choices == nil, !self.lacksChoices else {
            return false
        }
        guard let choices else {
            self.lacksChoices = true
            for part in self.parts where !part.isAsking { part.step = .failed }
            self.complete(in: &context)
            return true
        }
        self.choices = choices
        self.listUnsubscribedAccounts(choices, in: &context)
        self.complete(in: &context)
        return true
    }

    /// Lists accounts that no pattern reaches into, but whose own name is shown if any folder in them is subscribed.
    /// If the user has unsubscribed some of the folders, only the folder list shows whether subscribed ones remain.
    private func listUnsubscribedAccounts(
        _ choices: SubscriptionChoices,
        in context: inout some CommandContext
    ) {
        guard self.request.reportsSubscribedBelow else { return }
        let asked = Set(self.parts.map(\.account))
        let namespace = context.namespace
        let views = choices.accounts.filter { account, known in
            !asked.contains(account) && known.hasUnsubscribed && known.subscribed.isEmpty
        }.keys.sorted().compactMap(namespace.view(of:))
            .filter { context.subscriptionBase(of: $0) == .every }
        guard !views.isEmpty else { return }
        self.parts += views.map { ListingPart(view: $0, isBelowPatterns: true) }
        self.lookUpFolders(in: &context)
    }

    // MARK: - The answer

    /// Begins to write the answer once every account has answered or failed. A failed account omits only its own
    /// folders, and the client is told so. If all accounts failed, the answer is `NO`.
    func complete(in context: inout some CommandContext) {
        guard self.answer == nil, self.isComplete else { return }
        guard !self.lacksChoices else { return context.finish(self.tag, text: .unavailable) }
        let reached = self.parts.filter { !$0.isBelowPatterns }
        if !reached.isEmpty, reached.allSatisfy({ $0.step == .failed }) {
            return context.finish(self.tag, text: .unavailable)
        }
        self.answer = ListAnswer(
            self.request,
            parts: self.parts,
            choices: self.choices ?? SubscriptionChoices(),
            views: context.namespace.views
        )
        self.resume(in: &context)
    }

    /// Continues after a yield of the event loop: with the lines, or with the search for the next folder to count.
    func resume(in context: inout some CommandContext) {
        guard let answer = self.answer else { return self.resumeCounting(in: &context) }
        // A response that was forwarded in part must end first; the session calls this again then.
        guard context.passing == nil else { return }
        guard answer.advance(in: &context) else { return context.yieldLoop() }
        guard !answer.isTooLarge else { return context.finish(self.tag, text: .unavailable) }
        if self.parts.contains(where: { $0.step == .failed }) {
            context.emit(Reply.untagged(.someUnavailable))
        } else if self.parts.contains(where: \.isOutdated) {
            context.emit(Reply.untagged(.someOutdated))
        }
        context.finish(self.tag, text: .completed(self.request.isLsub ? "LSUB" : "LIST"))
    }

    /// The wait for servers that do not answer has timed out.
    func waitingTimePassed(in context: inout some CommandContext) {
        for part in self.parts { self.leaveIfStalled(part, in: &context) }
        if !self.isComplete { context.perform(.limitWaiting) }
        self.complete(in: &context)
    }

    /// The cached folders have arrived: asks the servers for the rest.
    func foldersLookedUp(
        _ known: [FolderListKey: FolderKnowledge],
        in context: inout some CommandContext
    ) {
        for part in self.parts where part.step == .lookingUp {
            self.lookedUp(known, part: part, in: &context)
        }
        if !self.isComplete { context.perform(.limitWaiting) }
        self.complete(in: &context)
    }

    /// Names that are not yet written follow the new permissions. Names that servers still send are checked later.
    func permissionsChanged(in context: inout some CommandContext) {
        self.answer?.permissionsChanged(in: &context)
    }
}
