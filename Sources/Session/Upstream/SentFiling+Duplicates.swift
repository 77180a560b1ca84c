import Access
import IMAP

/// Removal of the gateway's own copy if the folder has another copy of the same message.
extension SentFiling {
    /// Searches for other messages with the Message-ID. Keeps the own copy if the message has no Message-ID, or if
    /// the server lacks UIDPLUS and so cannot expunge a single message.
    mutating func search() -> Step {
        guard let messageID = self.messageID, self.profile.has("UIDPLUS") else {
            return self.keep()
        }
        self.state = .searching
        let hasWithin = self.profile.has("WITHIN") && !self.isRepeated
        return self.command {
            $0.write(word: "UID SEARCH UNDELETED HEADER Message-ID")
            $0.write(string: messageID)
            guard hasWithin else { return }
            $0.write(word: "YOUNGER")
            $0.write(number: Self.younger)
        }
    }

    /// Asks for the sizes of the messages that SEARCH found.
    mutating func compare() -> Step {
        guard let copy = self.copy else { return self.keep() }
        let others = self.others.filter {
            $0.folder == copy.folder && $0.uidValidity == copy.uidValidity
        }
        self.comparison = CopyComparison(
            own: copy.uid,
            found: self.found,
            except: Set(others.map(\.uid))
        )
        guard let comparison = self.comparison else { return self.keep() }
        self.state = .sizing
        return self.command {
            $0.write(word: "UID FETCH")
            SequenceSet(uids: comparison.uids).encode(into: &$0)
            $0.write(word: "(UID RFC822.SIZE)")
        }
    }

    /// Fetches the next part to compare. Without one, removes or keeps the own copy.
    mutating func read(_ next: (uid: UInt32, part: CopyComparison.Part)?) -> Step {
        guard let (uid, part) = next else {
            return self.comparison?.isSame ?? false ? self.mark() : self.keep()
        }
        self.state = .reading
        return self.command {
            $0.write(word: "UID FETCH")
            $0.write(number: UInt64(uid))
            switch part {
            case .header:
                $0.write(
                    word: """
                        (UID BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID \
                        IN-REPLY-TO REFERENCES MIME-VERSION CONTENT-TYPE \
                        CONTENT-TRANSFER-ENCODING CONTENT-DISPOSITION)])
                        """
                )
            case .text:
                $0.write(word: "(UID BODY.PEEK[TEXT])")
            }
        }
    }

    /// Sets `\Deleted` on the own copy.
    private mutating func mark() -> Step {
        guard let uid = self.copy?.uid else { return self.keep() }
        self.state = .marking
        return self.command {
            $0.write(word: "UID STORE")
            $0.write(number: UInt64(uid))
            $0.write(word: "+FLAGS.SILENT (\\Deleted)")
        }
    }

    /// Expunges the own copy by its UID (RFC 4315 §2.1).
    mutating func expunge() -> Step {
        guard let uid = self.copy?.uid else { return self.keep() }
        self.state = .expunging
        return self.command {
            $0.write(word: "UID EXPUNGE")
            $0.write(number: UInt64(uid))
        }
    }
}
