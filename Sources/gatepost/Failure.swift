/// The reason why a command failed: exit status 1, and one line on standard error.
struct Failure: Error, CustomStringConvertible {
    /// The problem, where it is, and the remedy, in one line without a full stop.
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
