/// The reason why an export was refused as a whole.
package struct ReadingError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The file, the row, the problem and the remedy, in one sentence.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
