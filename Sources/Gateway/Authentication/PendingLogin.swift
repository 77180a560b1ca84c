import Access
import NIOCore
import Synchronization

/// One login whose password is being checked, or waits for its check. Its connection cancels it when it closes.
final class PendingLogin: Sendable {
    /// What a right password leads to: the user, or a refusal because of the account in `LOGIN/ACCOUNT`.
    let whenRight: AuthenticationResult
    /// Where its failure is counted.
    let slots: [LoginFailures.Slot]
    let network: Network
    /// What the audit log has of it, where it is refused.
    let record: AuditRecord
    private let loop: any EventLoop
    private let answer: @Sendable (AuthenticationResult) -> Void
    private let isOver = Atomic(false)

    init(
        whenRight: AuthenticationResult,
        slots: [LoginFailures.Slot],
        network: Network,
        record: AuditRecord,
        loop: any EventLoop,
        answer: @escaping @Sendable (AuthenticationResult) -> Void
    ) {
        self.whenRight = whenRight
        self.slots = slots
        self.network = network
        self.record = record
        self.loop = loop
        self.answer = answer
    }

    /// Answers on the loop, once; not at all where the connection has closed.
    func finish(_ answer: AuthenticationResult, in delay: TimeAmount = .zero) {
        let tell: @Sendable () -> Void = {
            guard !self.isOver.exchange(true, ordering: .relaxed) else { return }
            self.answer(answer)
        }
        if delay == .zero {
            self.loop.execute(tell)
        } else {
            self.loop.scheduleTask(in: delay, tell)
        }
    }

    var isCancelled: Bool { self.isOver.load(ordering: .relaxed) }

    /// The connection has closed: nobody waits for the answer.
    func cancel() {
        self.isOver.store(true, ordering: .relaxed)
    }
}
