import NIOCore

/// The sessions that administrators list and end. Tests replace it.
protocol ControlledSessions: Sendable {
    /// All sessions after their login, in no order.
    /// - Returns: a future on `loop`.
    func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]>
    /// Ends a session.
    /// - Returns: the session that was ended; nil if there is none with this number.
    func endSession(_ number: UInt64, on loop: any EventLoop) -> EventLoopFuture<SessionSummary?>
}
