import Foundation

extension Process {
    /// Starts the program with no signal blocked.
    ///
    /// A program inherits the signal mask of the thread that starts it. The threads of the
    /// concurrency pool block all signals: a server that is started there could not be stopped by a
    /// signal.
    package func runUnblocked() throws {
        var none = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try self.run()
    }
}
