/// Something that went wrong on the way to Microsoft, in words for an administrator.
package struct OnlineError: Error, Equatable, CustomStringConvertible, Sendable {
    package var description: String
    /// Whether it may go well the next time, with nothing changed.
    package var isPassing: Bool

    package init(_ description: String, isPassing: Bool = false) {
        self.description = description
        self.isPassing = isPassing
    }
}
