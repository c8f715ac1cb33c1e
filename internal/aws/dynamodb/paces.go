package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/pace"
)

// PacesAPI is what keeping paces takes.
type PacesAPI interface {
	batchGetAPI
	UpdateItem(context.Context, *sdk.UpdateItemInput, ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error)
}

// Paces keeps paces in a table of its own with the partition key pace, a string, and a
// TTL on expires_at. It is as pace.Store has it. To take turns costs a write unit where
// what was last seen of the key tells how it stands, and one more where it does not: a
// write whose condition fails is billed, and says how it does.
type Paces struct {
	API   PacesAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of a pace: its key, and its state, in whole microseconds, since 1970
// where it is a time.
const (
	paceName     = "pace"
	goName       = "go"
	lineName     = "line"
	intervalName = "interval"
	learnedName  = "learned"
)

// paceTries is how often a change is tried that others are faster with.
const paceTries = 30

// Take is as pace.Store has it, by one conditional update where nothing unforeseen
// has happened.
func (p *Paces) Take(ctx context.Context, a pace.Ask) (now pace.State, turns []pace.Turn, err error) {
	now, err = p.change(ctx, a.Key, a.Seen, func(s pace.State) (pace.State, update) {
		next, turns := pace.Take(s, a)
		return next, taking(s, next, a, turns)
	})
	if err != nil {
		return now, nil, err
	}
	now, turns = pace.Take(now, a) // what was there when it was written
	return now, turns, nil
}

// Slow is as pace.Store has it.
func (p *Paces) Slow(ctx context.Context, r pace.Slow) (now pace.State, err error) {
	now, err = p.change(ctx, r.Key, r.Seen, func(s pace.State) (pace.State, update) {
		next := pace.Slower(s, r)
		return next, exactly(s, next)
	})
	return pace.Slower(now, r), err
}

// change writes what f makes of a state, and returns the one that was there before.
// It begins with what was seen.
func (p *Paces) change(ctx context.Context, key string, seen pace.State, f func(pace.State) (pace.State, update)) (pace.State, error) {
	known := false
	for range paceTries {
		next, u := f(seen)
		if next.Same(seen) {
			if known {
				return seen, nil
			}
			all, err := p.read(ctx, []string{key}, true)
			if err != nil {
				return seen, err
			}
			seen, known = all[key], true
			continue
		}
		before, err := p.write(ctx, key, next, u)
		if err == nil || !errors.Is(err, errOther) {
			return before, err
		}
		seen, known = before, true
	}
	return seen, fmt.Errorf("the pace %s in table %s: %w", key, p.Table, pace.ErrBusy)
}

// errOther says that a state was not as it was taken to be.
var errOther = errors.New("the state is another")

// write makes an update, and returns what was there before; with errOther, what is
// there.
func (p *Paces) write(ctx context.Context, key string, next pace.State, u update) (was pace.State, err error) {
	u.set(expiresName, next.Rest().Add(pace.Retention).Unix())
	out, err := p.API.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: &p.Table, Key: map[string]types.AttributeValue{paceName: &types.AttributeValueMemberS{Value: key}},
		UpdateExpression:                    aws.String("SET " + strings.Join(u.sets, ", ")),
		ConditionExpression:                 aws.String(strings.Join(u.conditions, " AND ")),
		ExpressionAttributeNames:            u.names,
		ExpressionAttributeValues:           u.values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var other *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return p.state(out.Attributes)
	case !errors.As(err, &other):
		return was, fmt.Errorf("change the pace %s in table %s: %w", key, p.Table, err)
	}
	if was, err = p.state(other.Item); err != nil {
		return was, err
	}
	return was, errOther
}

// Paces is as pace.Store has it, by reads that are not consistent: they cost half.
func (p *Paces) Paces(ctx context.Context, keys []string) (map[string]pace.State, error) {
	return p.read(ctx, keys, false)
}

func (p *Paces) read(ctx context.Context, keys []string, consistent bool) (map[string]pace.State, error) {
	var asked []map[string]types.AttributeValue
	found := map[string]pace.State{}
	keys = slices.Clone(keys)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		asked = append(asked, map[string]types.AttributeValue{paceName: &types.AttributeValueMemberS{Value: key}})
	}
	items, err := batchReader{API: p.API, Table: p.Table, Consistent: consistent, Wait: p.Wait}.all(ctx, asked)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		key, _ := item[paceName].(*types.AttributeValueMemberS)
		if found[key.Value], err = p.state(item); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// state reads an item; that of none is at rest.
func (p *Paces) state(item map[string]types.AttributeValue) (s pace.State, err error) {
	if len(item) == 0 {
		return s, nil
	}
	var numbers [4]int64
	for n, name := range []string{goName, lineName, intervalName, learnedName} {
		v, ok := item[name].(*types.AttributeValueMemberN)
		if !ok {
			return s, fmt.Errorf("a pace in table %s has no number under %q", p.Table, name)
		}
		if numbers[n], err = strconv.ParseInt(v.Value, 10, 64); err != nil {
			return s, fmt.Errorf("a pace in table %s has no whole number under %q", p.Table, name)
		}
	}
	return pace.State{
		Go: pace.FromMicros(numbers[0]), Line: pace.FromMicros(numbers[1]),
		Interval: time.Duration(numbers[2]) * time.Microsecond, Learned: pace.FromMicros(numbers[3]),
	}, nil
}

// update is what an UpdateItem sets, and on what conditions, all of which must hold.
type update struct {
	sets, conditions []string
	names            map[string]string
	values           map[string]types.AttributeValue
}

func (u *update) name(attribute string) string {
	if u.names == nil {
		u.names = map[string]string{}
	}
	u.names["#"+attribute] = attribute
	return "#" + attribute
}

func (u *update) value(n int64) string {
	if u.values == nil {
		u.values = map[string]types.AttributeValue{}
	}
	name := ":v" + strconv.Itoa(len(u.values))
	u.values[name] = number(n)
	return name
}

func (u *update) set(attribute string, n int64) {
	u.sets = append(u.sets, u.name(attribute)+" = "+u.value(n))
}

func (u *update) add(attribute string, n int64) {
	name := u.name(attribute)
	u.sets = append(u.sets, name+" = "+name+" + "+u.value(n))
}

func (u *update) where(attribute, is string, n int64) {
	u.conditions = append(u.conditions, u.name(attribute)+" "+is+" "+u.value(n))
}

// learned has it hold only where the same was learned.
func (u *update) learned(s pace.State) {
	u.where(intervalName, "=", s.Interval.Microseconds())
	u.where(learnedName, "=", pace.Micros(s.Learned))
}

func (u *update) all(s pace.State) {
	u.set(goName, pace.Micros(s.Go))
	u.set(lineName, pace.Micros(s.Line))
	u.set(intervalName, s.Interval.Microseconds())
	u.set(learnedName, pace.Micros(s.Learned))
}

// exactly is the change of a state to next, where it is s.
func exactly(s, next pace.State) (u update) {
	u.all(next)
	if s.Same(pace.State{}) {
		u.conditions = append(u.conditions, "attribute_not_exists("+u.name(goName)+")")
		return u
	}
	u.where(goName, "=", pace.Micros(s.Go))
	u.where(lineName, "=", pace.Micros(s.Line))
	u.learned(s)
	return u
}

// taking is the change of a state by an Ask, where it is s, or any other one by which
// the turns are of the same kind: then a register moves on, wherever it stands. So many
// ask at once, and none has to ask twice.
func taking(s, next pace.State, a pace.Ask, turns []pace.Turn) (u update) {
	now := a.Now.Truncate(pace.Grain)
	from, to, steady := s.LineSteady(a)
	all, place, anyNew := true, true, false
	for n, w := range a.Wishes {
		anyNew = anyNew || !w.Back
		all = all && turns[n].Go
		place = place && !turns[n].Go && !turns[n].At.IsZero() && !w.Back
	}
	switch {
	case all && !s.Go.Before(now):
		u.add(goName, next.Go.Sub(s.Go).Microseconds())
		u.where(goName, ">=", pace.Micros(now))
		u.where(goName, "<=", pace.Micros(s.LatestGo(a)))
		if anyNew {
			u.lineIs("<=")
		}
	case all && s.Go.Before(now) && !s.Line.After(now) && !s.Same(pace.State{}):
		u.all(next)
		u.where(goName, "<", pace.Micros(now))
		u.where(lineName, "<=", pace.Micros(now))
	case place && steady && s.Line.After(s.Go) && s.Line.After(now):
		u.add(lineName, next.Line.Sub(s.Line).Microseconds())
		u.lineIs(">")
		u.where(lineName, ">", pace.Micros(now))
		u.where(lineName, "<=", min(pace.Micros(s.LatestLine(a)), pace.Micros(to)))
		u.where(lineName, ">=", pace.Micros(from))
	default:
		return exactly(s, next)
	}
	u.learned(s)
	return u
}

func (u *update) lineIs(than string) {
	u.conditions = append(u.conditions, u.name(lineName)+" "+than+" "+u.name(goName))
}
