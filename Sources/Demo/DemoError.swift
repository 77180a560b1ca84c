/// What a server of the demo ran into, in words that say what to do.
package struct DemoError: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}
