import NIOCore

/// The sessions that administrators look at and end.
protocol ControlledSessions: Sendable {
    /// All sessions that are logged in.
    func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]>
    /// Ends a session.
    /// - Returns: what it was; nil where there is none.
    func endSession(_ number: UInt64, on loop: any EventLoop) -> EventLoopFuture<SessionSummary?>
}
