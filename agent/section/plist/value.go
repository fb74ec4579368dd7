package plist

// Text is a value that may also have another type; then it is empty. Preferences are written by
// many programs, and one strange value must not hide the others.
type Text string

// UnmarshalPlist is a method of the library's Unmarshaler.
func (t *Text) UnmarshalPlist(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		*t = Text(text)
	}
	return nil
}

// Flag is a value that is true or false, or 1 or 0.
type Flag struct {
	On    bool
	Known bool // false if the value is absent or has another type
}

// UnmarshalPlist is a method of the library's Unmarshaler.
func (f *Flag) UnmarshalPlist(unmarshal func(any) error) error {
	var on bool
	if unmarshal(&on) == nil {
		*f = Flag{On: on, Known: true}
		return nil
	}
	var number uint64
	if unmarshal(&number) == nil && number <= 1 {
		*f = Flag{On: number == 1, Known: true}
	}
	return nil
}
