/// The search for the end of a line, kept between reads so that no octet is looked at twice.
struct LineScan {
    /// Octets from the start of the command to where the search stopped, without forgotten ones.
    private(set) var position = 0
    private(set) var isQuoted = false
    private(set) var failure: SyntaxError.Reason?
    private var isEscaped = false
    private var hasStarted = false

    /// - Parameters:
    ///   - start: where the line begins.
    ///   - quotes: whether quotes have a meaning.
    /// - Returns: the position of CR LF, once it is there.
    mutating func run(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        maximum: Int,
        quotes: Bool
    ) -> Int? {
        if !self.hasStarted {
            self.position = start
            self.hasStarted = true
        }
        while self.position < octets.count {
            let octet = octets[self.position]
            if octet == 0x0D {
                guard self.position + 1 < octets.count else { return nil }
                guard octets[self.position + 1] == 0x0A else { return self.fail(.malformedLineEnd) }
                return self.position
            }
            if octet == 0x0A { return self.fail(.malformedLineEnd) }
            if octet == 0 { return self.fail(.controlOctet) }
            if self.isEscaped {
                self.isEscaped = false
            } else if octet == UInt8(ascii: "\""), quotes {
                self.isQuoted.toggle()
            } else if octet == UInt8(ascii: "\\"), self.isQuoted {
                self.isEscaped = true
            }
            self.position += 1
            if self.position - start > maximum { return self.fail(.lineTooLong) }
        }
        return nil
    }

    /// The line is searched on although it is too long.
    mutating func resume() {
        self.failure = nil
    }

    /// So many octets before the place where the search stopped are gone.
    mutating func forget(_ count: Int) {
        self.position -= count
    }

    private mutating func fail(_ reason: SyntaxError.Reason) -> Int? {
        self.failure = reason
        return nil
    }
}
